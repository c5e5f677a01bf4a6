"""Where a project's texts lie, and how that is kept."""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.grouping.geometry import (
    BACKGROUND_TEXTS,
    DIRECTIONS,
    ENOUGH_FOR_DIRECTIONS,
    Geometry,
    centre,
    unit,
    unknown,
)
from soulcaster.rules.grouping.marks import DIMENSIONS
from tests.rules.grouping.made import WIDTH, seeds, several

FIGURES = ("unrelated", "spread", "crowded", "repeated")


def made(seed: int, directions: int = DIRECTIONS) -> Geometry:
    """A geometry of no project in particular."""
    rng = np.random.default_rng(seed)
    return Geometry(
        int(rng.integers(0, 5000)),
        rng.normal(0, 0.1, WIDTH).astype(np.float32),
        unit(rng.standard_normal((directions, WIDTH)).astype(np.float32)),
        rng.normal(0, 0.01, DIMENSIONS).astype(np.float32),
        *(float(figure) for figure in rng.random(4)),
    )


def page(**changed: Any) -> str:
    """A kept geometry with something else in it."""
    return json.dumps({**json.loads(made(1).to_text()), **changed})


@several
@given(seeds, st.sampled_from([0, DIRECTIONS]))
def test_it_is_kept_and_read(seed: int, directions: int) -> None:
    """Figures exactly, arrays to three digits; what was read is kept as the same text."""
    one = made(seed, directions)
    read = Geometry.from_text(one.to_text())
    assert read.count == one.count
    assert [getattr(read, name) for name in FIGURES] == [getattr(one, name) for name in FIGURES]
    for name in ("mean", "directions", "marks_mean"):
        kept, was = getattr(read, name), getattr(one, name)
        assert (kept.shape, kept.dtype) == (was.shape, np.float32)
        assert np.allclose(kept, was, rtol=1e-3, atol=1e-6)
    assert read.to_text() == one.to_text()


NO_ARRAYS: list[Any] = [
    *(None, 1, "text", [], {}, {"data": "AAAA"}),
    *({"shape": shape, "data": "AAAA"} for shape in ("two", [2], [1, 1], [-2], 1)),
    *({"shape": [1], "data": data} for data in (None, "A", "AAAA", "é")),
    {"shape": [WIDTH], "data": b64encode(np.full(WIDTH, np.inf, np.float16).tobytes()).decode()},
]
NO_FIGURES: list[Any] = [None, "wide", [], float("nan"), float("inf")]
OTHERS = json.loads(unknown(5).to_text())


@pytest.mark.parametrize(
    "rubbish",
    [
        *("", "null", "1", '"text"', "[]", "{}", "[" * 100_000, "\ud800"),
        *(page(mean=value) for value in NO_ARRAYS),
        *(page(spread=value) for value in NO_FIGURES),
        *(page(count=value) for value in NO_FIGURES),
        *(page(directions=OTHERS[name]) for name in ("directions", "mean")),
        page(marks_mean=OTHERS["mean"]),
    ],
)
def test_rubbish_is_refused(rubbish: str) -> None:
    """With an error that says so, whatever it is."""
    with pytest.raises(ValueError):
        Geometry.from_text(rubbish)


@several
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_json_is_refused(value: Any) -> None:
    """Also in place of a geometry's own values."""
    for text in (json.dumps(value), page(mean=value), page(directions={"shape": value})):
        with pytest.raises(ValueError):
            Geometry.from_text(text)


def test_one_text_hardly_moves_the_background() -> None:
    """Few texts count for little: one for as much as a 21st of the mean."""
    background, mine = made(3), unit(np.ones((1, WIDTH), np.float32))
    marks = unit(np.ones((1, DIMENSIONS), np.float32))
    found = centre(mine, marks, background)
    share = 1 / (1 + BACKGROUND_TEXTS)
    assert np.allclose(found.mean - background.mean, share * (mine[0] - background.mean), atol=1e-6)
    moved = share * (marks[0] - background.marks_mean)
    assert np.allclose(found.marks_mean - background.marks_mean, moved, atol=1e-6)
    assert found.count == 1


@pytest.mark.parametrize("count", [0, 1, ENOUGH_FOR_DIRECTIONS - 1])
def test_few_texts_have_no_directions(count: int) -> None:
    """They would be those of single texts; figures are the background's."""
    background = made(4)
    rows = unit(np.random.default_rng(1).standard_normal((count, WIDTH)).astype(np.float32))
    found = centre(rows, np.zeros((count, DIMENSIONS), np.float32), background)
    assert found.directions.shape == (0, WIDTH)
    assert [getattr(found, name) for name in FIGURES] == [
        getattr(background, name) for name in FIGURES
    ]


def test_many_texts_have_their_own_place_and_directions() -> None:
    """The mean is theirs, and the strongest directions are those in which they differ most."""
    rng = np.random.default_rng(5)
    scales = np.ones(WIDTH)
    scales[:DIRECTIONS] = (30, 20, 10)
    rows = unit((100 * np.eye(WIDTH)[7] + rng.standard_normal((4000, WIDTH)) * scales).astype("f4"))
    marks = unit(rng.standard_normal((4000, DIMENSIONS)).astype(np.float32))
    found = centre(rows, marks, unknown(WIDTH))
    assert np.allclose(found.mean, rows.mean(axis=0), atol=0.01)
    assert np.allclose(found.marks_mean, marks.mean(axis=0), atol=0.01)
    assert found.directions.shape == (DIRECTIONS, WIDTH)
    assert np.allclose(np.abs(found.directions[:, :DIRECTIONS]), np.eye(DIRECTIONS), atol=0.1)


@several
@given(seeds, st.integers(0, 5))
def test_rows_get_length_one(seed: int, count: int) -> None:
    """Whatever their length; a row of zeros has no direction and stays what it is."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((count, 8)) * 10.0 ** rng.integers(-6, 6, (count, 1))
    rows = np.vstack([rows, np.zeros((1, 8))]).astype(np.float32)
    found = unit(rows)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), [1] * count + [0], atol=1e-5)
    assert not found[-1].any()


def test_an_unknown_model_has_no_place() -> None:
    """Nothing is taken away from its vectors, and its figures are those of no texts."""
    found = unknown(WIDTH)
    assert found.count == 0
    assert not found.mean.any()
    assert found.directions.shape == (0, WIDTH)
    assert Geometry.from_text(found.to_text()).to_text() == found.to_text()
    assert replace(found, count=1).count == 1
