"""Measuring an embedding model, and what clustering makes of one that was not measured."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from soulcaster.edges.model_store import ModelStore
from soulcaster.rules.grouping.background import background, slug
from soulcaster.rules.grouping.calibration import to_text
from soulcaster.rules.grouping.geometry import unknown
from soulcaster.rules.grouping.lens import KINDS, lenses
from soulcaster.use_cases import cluster_pending
from soulcaster.use_cases.calibrate import Sample, calibrate
from tests.support.grouping import WIDTH, Topics, Working

SAMPLES = [
    Sample(kind, f"Title {kind} {n}", f"<b>{kind}</b> body {n} " + "long " * 500)
    for kind in KINDS
    for n in range(60)
]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """As in a process that has said nothing yet."""
    cluster_pending._uncalibrated.cache_clear()
    yield
    cluster_pending._uncalibrated.cache_clear()


def test_what_is_embedded_is_what_production_embeds() -> None:
    """Title and body without markup and cut, all of them at once."""
    asked: list[Sequence[str]] = []

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        asked.append(texts)
        return Topics().embed(texts)

    found = calibrate(SAMPLES, embed)
    (texts,) = asked
    assert texts[0].startswith("Title short 0\n\nshort body 0 long")
    assert max(map(len, texts)) < 1_600
    assert {kind: geometry.count for kind, geometry in found.items()} == dict.fromkeys(KINDS, 60)


def test_it_comes_out_the_same_each_time() -> None:
    """So that a file changes only when the model or the texts do."""
    one, two = (calibrate(SAMPLES, Topics().embed) for _ in range(2))
    assert to_text("m", "t", lenses(), one) == to_text("m", "t", lenses(), two)


def test_a_model_without_calibration_is_named_once(
    working: Working, caplog: pytest.LogCaptureFixture
) -> None:
    """It groups all the same, by what is guessed of it."""
    for _ in range(2):
        items = working.store(0, 0)
        working.cluster()
        assert len(set(working.where(*items))) == 1
    said = [record for record in caplog.records if "not calibrated" in record.message]
    assert [record.levelname for record in said] == ["WARNING"]
    assert said[0].__dict__["space"] == f"topics-{WIDTH}"


def test_what_was_stored_counts_with_the_next_batch(
    working: Working, caplog: pytest.LogCaptureFixture
) -> None:
    """For every project, without a deployment; and a look learns from it."""
    measured = calibrate(SAMPLES, Topics().embed)
    text = to_text("topics", "these", lenses(), measured)
    store = ModelStore(working.redis)
    assert store.put(slug("topics", WIDTH), text) == ""
    assert store.put(slug("topics", WIDTH), text) == text
    working.store(0, 0)
    claim = working.clusters.claim(
        "larder", "a", 60_000, 500, working.now, space=working.vectors.space
    )
    assert claim is not None
    found = background("topics", WIDTH, claim.learned.background)
    assert found["error"].unrelated == measured["error"].unrelated
    assert found["error"].unrelated != unknown(WIDTH).unrelated
    working.cluster()
    assert "not calibrated" not in caplog.text


def test_another_models_calibration_is_not_used(working: Working) -> None:
    """A space has its own."""
    ModelStore(working.redis).put(slug("another", WIDTH), "whatever")
    working.store(0)
    claim = working.clusters.claim(
        "larder", "a", 60_000, 500, working.now, space=working.vectors.space
    )
    assert claim is not None
    assert claim.learned.background == ""
