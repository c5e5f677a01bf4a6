"""The local sentence encoder gives the vectors that the published model gives."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest

from local.embedder import Embedder

DATA = Path(os.environ.get("SOULCASTER_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
ROWS = 30


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return Embedder(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("name", ["hint3_sofmattress", "jira_hdfs", "events_a"])
def test_vectors_equal_the_published_models(embedder: Embedder, name: str) -> None:
    """Short, long and machine-made texts get the vectors that were computed elsewhere."""
    folder = DATA / "grouping"
    if not folder.is_dir():
        pytest.skip(f"no labelled data in {folder}: set SOULCASTER_DATA")
    with gzip.open(folder / f"{name}.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for _, line in zip(range(ROWS), lines, strict=False)]
    expected = np.load(folder / f"{name}.npy")[:ROWS].astype(np.float32)
    texts = [f"{row['title'] or ''}\n\n{row['text'][:1500]}" for row in rows]
    cosines = (embedder.embed(texts) * expected).sum(axis=1)
    assert cosines.min() > 0.99


def test_near_texts_are_closer_than_far_ones(embedder: Embedder) -> None:
    """A paraphrase scores higher than a text about something else; all vectors have length 1."""
    vectors = embedder.embed(
        [
            "The app crashes when I upload a photo",
            "Uploading a picture makes the application crash",
            "Please add a dark theme to the settings page",
        ]
    )
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    near, far = vectors[1:] @ vectors[0]
    assert near > 0.6
    assert far < 0.3


def test_a_batch_gives_what_single_calls_give(embedder: Embedder) -> None:
    """Neither order, nor padding, nor the cut into batches changes a vector."""
    texts = [f"error {n} " + "while saving the recipe " * (n * 7 % 23) for n in range(40)]
    singles = np.concatenate([embedder.embed([text]) for text in texts])
    assert np.allclose(embedder.embed(texts), singles, atol=1e-5)


def test_no_text_is_too_short_or_too_long(embedder: Embedder) -> None:
    """An empty text has a vector, a list of none has none, and a long text counts by its start."""
    assert embedder.embed([]).shape == (0, 384)
    empty, long, longer = embedder.embed(["", "pan " * 300, "pan " * 300 + "kettle"])
    assert np.isclose(np.linalg.norm(empty), 1, atol=1e-5)
    assert np.allclose(long, longer, atol=1e-5)


def test_the_model_file_is_built_once(embedder: Embedder, tmp_path: Path) -> None:
    """A second start uses the file of the first, and no partial file stays behind."""
    Embedder(tmp_path)
    (built,) = tmp_path.iterdir()
    before = built.stat().st_mtime_ns
    Embedder(tmp_path)
    assert [(f, f.stat().st_mtime_ns) for f in tmp_path.iterdir()] == [(built, before)]
