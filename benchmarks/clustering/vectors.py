"""The embeddings that a set is measured with."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from local.parts import ROOT

MODEL = "all-minilm-l6-v2"
DIMENSIONS = 384
# The local cloud's copy of the model's file, where it has been started before.
CACHE = ROOT / ".soulcaster/state/gemini"


def given(file: Path, count: int) -> NDArray[np.float32]:
    """The vectors in an .npy file, a row an item, at unit length: float32 [count, d].

    Raises ``OSError``, and ``ValueError`` when the file does not hold ``count`` directions.
    """
    try:
        found = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{file} is not an array of numbers: {error}") from error
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype.kind != "f":
        raise ValueError(f"{file} is not a matrix of floats")
    if len(found) != count:
        raise ValueError(f"{file} has {len(found)} vectors for {count} rows")
    vectors = found.astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise ValueError(f"{file} has vectors without a direction")
    return vectors / lengths


def embedded(texts: Sequence[str]) -> NDArray[np.float32]:
    """The local embedder's vectors, float32 [texts, 384], at unit length."""
    # Only who embeds pays for loading the runtime.
    from local.embedder import Embedder  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        embedder = Embedder(CACHE if CACHE.exists() else Path(folder))
        return embedder.embed(list(texts))
