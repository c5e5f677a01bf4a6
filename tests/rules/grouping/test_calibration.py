"""What is measured of an embedding model, and read again."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from soulcaster.rules.grouping import background as module
from soulcaster.rules.grouping.affinity import Rule
from soulcaster.rules.grouping.assign import assign
from soulcaster.rules.grouping.background import background, is_calibrated, slug
from soulcaster.rules.grouping.calibration import calibrated, seen_through, to_text
from soulcaster.rules.grouping.geometry import unknown
from soulcaster.rules.grouping.lens import KINDS, lenses
from soulcaster.rules.grouping.points import Points

MODEL, WIDTH, EACH = "some-model", 16, 60


def points(cone: float = 1.0, each: int = EACH) -> Points:
    """So many of each kind, in directions around one that all lean to."""
    count = each * len(KINDS)
    noise = np.random.default_rng(5).normal(size=(count, WIDTH)) / WIDTH**0.5
    vectors = unit(noise + cone * np.eye(WIDTH)[0])
    marks = unit(np.random.default_rng(6).normal(size=(count, 512)))
    return Points(
        tuple(f"{n:04}" for n in range(count)),
        tuple(KINDS[n % len(KINDS)] for n in range(count)),
        vectors,
        marks,
        ("",) * count,
        np.ones(count, np.float32),
        np.zeros(count, bool),
        ((),) * count,
    )


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def text(given: Points | None = None) -> str:
    """What is kept of a model."""
    return to_text(MODEL, "these", lenses(), calibrated(given or points(), lenses()))


def test_unrelated_is_the_mean_cosine_of_different_texts() -> None:
    """Of that kind only, a text with itself left out."""
    given = points()
    for kind, geometry in calibrated(given, lenses()).items():
        rows = given.vectors[[k == kind for k in given.kinds]]
        cosines = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
        assert geometry.unrelated == pytest.approx(float(cosines.mean()), abs=1e-5)
        assert geometry.count == EACH
        # The mean of the rows, a little towards what was guessed before.
        assert np.allclose(geometry.mean, rows.sum(axis=0) / (EACH + 20), atol=1e-5)


def test_a_narrower_cone_is_noticed() -> None:
    """Where all texts are near one another, unrelated ones have a higher cosine."""
    wide, narrow = (calibrated(points(cone), lenses()) for cone in (0.5, 3.0))
    for kind in KINDS:
        assert narrow[kind].unrelated > wide[kind].unrelated + 0.3


def test_too_few_texts_and_a_broken_model_are_refused() -> None:
    """A guess is better than figures of a handful, or of vectors that are all the same."""
    with pytest.raises(ValueError, match="49 texts of the kind short are too few"):
        calibrated(points(each=49), lenses())
    with pytest.raises(ValueError, match="the same vector"):
        calibrated(points(cone=1_000), lenses())


def test_what_was_measured_is_read_again() -> None:
    """From a store's text, as good as half precision is; and what it was measured through."""
    measured = calibrated(points(), lenses())
    found = background(MODEL, WIDTH, text())
    assert is_calibrated(MODEL, WIDTH, text())
    for kind in KINDS:
        assert (found[kind].unrelated, found[kind].spread, found[kind].repeated) == (
            *(measured[kind].unrelated, measured[kind].spread, measured[kind].repeated),
        )
        assert np.allclose(found[kind].marks_mean, measured[kind].marks_mean, atol=1e-3)
    page = json.loads(text())
    assert (page["model"], page["texts"]) == (MODEL, "these")
    assert page["lenses"] == {kind: seen_through(lens) for kind, lens in lenses().items()}


def test_a_file_counts_until_a_store_says_otherwise(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shipped file of a space is found by its name; what a store keeps outweighs it."""
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    module._shipped.cache_clear()
    assert not is_calibrated("A/model.v2", WIDTH)
    module._shipped.cache_clear()
    assert slug("A/model.v2", WIDTH) == "a-model-v2-16"
    (module.FOLDER / "a-model-v2-16.json").write_text(text())
    assert is_calibrated("A/model.v2", WIDTH)
    shipped = background("A/model.v2", WIDTH)["error"].unrelated
    stored = background("A/model.v2", WIDTH, text(points(3.0)))["error"].unrelated
    assert stored > shipped + 0.1
    module._shipped.cache_clear()


@pytest.mark.parametrize(
    "stored",
    [
        *("", "{}", "[]", "not JSON", '{"short": 1}', '{"short": {}, "report": {}, "error": {}}'),
        text(points()).replace('"count"', '"number"'),
        text(points()).replace('"shape"', '"form"'),
    ],
)
def test_what_is_unreadable_is_as_good_as_nothing(stored: str) -> None:
    """An older version's text, or anybody's, stops nobody from clustering."""
    assert not is_calibrated(MODEL, WIDTH, stored)
    assert background(MODEL, WIDTH, stored)["short"].spread == unknown(WIDTH).spread


def test_another_width_is_another_space() -> None:
    """What was measured with 16 dimensions is not put beside vectors of 24."""
    assert not is_calibrated(MODEL, 24, text())
    assert background(MODEL, 24, text())["error"].mean.shape == (24,)


@pytest.mark.parametrize("known", [True, False])
def test_a_model_that_nothing_is_known_of_groups_too(known: bool) -> None:
    """Copies join and strangers don't, calibrated or not."""
    given = points()
    new = replace(given.chosen([2, 2, 5, 5]), ids=("a", "b", "c", "d"))
    rule = Rule(lenses(), background(MODEL, WIDTH, text() if known else ""))
    clusters = [one.cluster for one in assign(new, given.chosen([]), rule, lambda i: f"cl_{i}")]
    assert clusters == ["cl_a", "cl_a", "cl_c", "cl_c"]
