"""Sentence embeddings on one processor core, without PyTorch and without a network."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from local.minilm import WIDTH, onnx_file, published

MAX_TOKENS = 256
# Larger batches are slower on one core: their intermediate values leave its cache.
BATCH_TOKENS = 512


class Embedder:
    """all-MiniLM-L6-v2. Thread-safe, but calls that overlap only slow each other down."""

    def __init__(self, cache: Path) -> None:
        """Load the model, building its file in the folder ``cache`` when it is not there."""
        self._tokenizer = Tokenizer.from_file(str(published("tokenizer.json")))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            onnx_file(cache), options, providers=["CPUExecutionProvider"]
        )

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """One vector of length 1 per text, float32 [texts, 384], in the order given.

        A text beyond 256 tokens counts by its beginning.
        """
        vectors = np.empty((len(texts), WIDTH), np.float32)
        tokens = [e.ids for e in self._tokenizer.encode_batch(texts)]
        for batch in _batches([len(t) for t in tokens]):
            ids = np.zeros((len(batch), len(tokens[batch[-1]])), np.int64)
            mask = np.zeros_like(ids)
            for row, i in enumerate(batch):
                ids[row, : len(tokens[i])] = tokens[i]
                mask[row, : len(tokens[i])] = 1
            (vectors[batch],) = self._session.run(["vectors"], {"ids": ids, "mask": mask})
        return vectors


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Indices in order of length, cut so that a padded batch stays within BATCH_TOKENS."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[i] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
