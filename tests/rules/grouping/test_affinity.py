"""How alike points are, and what is needed to be joined."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.grouping.affinity import Rule, affinity, measured, similarity
from soulcaster.rules.grouping.geometry import Geometry, centre, unit, unknown
from soulcaster.rules.grouping.lens import KINDS, Lens, lenses
from soulcaster.rules.grouping.marks import DIMENSIONS
from soulcaster.rules.grouping.points import Points
from soulcaster.rules.text_kind import Kind
from tests.rules.grouping.made import (
    COSINE,
    WIDTH,
    angle,
    cosines,
    crowd,
    nothing,
    points,
    seeds,
    several,
    shipped,
)

CROWDED = replace(COSINE, crowding=1.0, first_rank=1, last_rank=4)
SHIPPED = [lenses()[kind] for kind in KINDS]


def scattered(seed: int, count: int) -> Points:
    """Points about nothing in common."""
    rng = np.random.default_rng(seed)
    marks = unit(rng.standard_normal((count, DIMENSIONS)).astype(np.float32))
    return points(rng.standard_normal((count, WIDTH)).astype(np.float32), marks=marks)


def apart(seen: np.ndarray) -> np.ndarray:
    """The similarities of different points."""
    return seen[~np.eye(len(seen), dtype=bool)]


@several
@given(seeds, st.integers(0, 40))
def test_it_is_symmetric(seed: int, count: int) -> None:
    """To the last bit: which of two is asked first decides nothing."""
    some = crowd(seed, 1 + count, kinds=KINDS)
    margin = affinity(some.chosen(range(count)), shipped(some)).margin
    assert margin.shape == (count, count)
    assert np.array_equal(margin, margin.T)


@several
@given(seeds, st.integers(1, 30), st.sampled_from(SHIPPED))
def test_a_pair_of_two_kinds_gets_the_mean(seed: int, count: int, lens: Lens) -> None:
    """Of what each kind would say if both were of it; each is held to its own kind's bar."""
    some = crowd(seed, count, kinds=("short", "report"))
    rule = Rule(
        {"short": lens, "report": lens.with_bar(2), "error": lens}, shipped(some).geometries
    )
    seen = affinity(some, rule)
    as_one = {
        kind: affinity(replace(some, kinds=(kind,) * count), rule).margin
        for kind in set(some.kinds)
    }
    for i, one in enumerate(some.kinds):
        assert seen.bars[i] == np.float32(rule.bar(one))
        for j, other in enumerate(some.kinds):
            mean = (as_one[one][i, j] + as_one[other][i, j]) / 2
            assert seen.margin[i, j] == pytest.approx(mean, abs=1e-5)


def test_no_points() -> None:
    """Nothing is like nothing."""
    seen = affinity(nothing(2), cosines())
    assert (seen.margin.shape, seen.bars.shape) == ((0, 0), (0,))


@several
@given(seeds, st.sampled_from(SHIPPED))
def test_equal_texts_are_at_one(seed: int, lens: Lens) -> None:
    """Through every lens, before crowding; and nothing is above that."""
    some = scattered(seed, 12)
    both = some.chosen([*range(12), *range(12)])
    place = centre(some.vectors, some.marks, replace(unknown(WIDTH), unrelated=0.3))
    seen = similarity(both, lens, place)
    assert np.allclose(np.diagonal(seen[:12, 12:]), 1, atol=1e-4)
    assert seen.max() < 1 + 1e-4


@pytest.mark.parametrize("lens", SHIPPED)
def test_unrelated_texts_are_at_zero(lens: Lens) -> None:
    """On the mean, also in a model in which all texts are near to each other."""
    some = scattered(1, 400)
    near = unit(some.vectors + np.float32(1.5) * np.eye(1, WIDTH, dtype=np.float32))
    cosine = float(apart(near @ near.T).mean())
    assert cosine > 0.5
    place = centre(near, some.marks, replace(unknown(WIDTH), unrelated=cosine))
    assert abs(apart(similarity(replace(some, vectors=near), lens, place)).mean()) < 0.03


def test_what_is_removed_does_not_count() -> None:
    """Two that differ only in a removed direction are equal; they are not when it stays."""
    place = replace(unknown(3), directions=np.array([[0, 0, 1]], np.float32))
    some = points([[1, 0, 1], [1, 0, -1]])
    assert similarity(some, replace(COSINE, removed=1), place)[0, 1] == pytest.approx(1)
    assert similarity(some, replace(COSINE, removed=0), place)[0, 1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("removed", [None, 0])
def test_marks_have_their_share(share: float, removed: int | None) -> None:
    """The similarity is the weighted mean of that of vectors and that of marks."""
    marks = np.zeros((2, DIMENSIONS), np.float32)
    marks[0, 0] = marks[1, 1] = 1
    some = points(angle(0, 0), marks=marks)
    seen = similarity(some, replace(COSINE, marks=share, removed=removed), unknown(2))
    assert seen[0, 1] == pytest.approx(1 - share)


def test_crowds_need_more() -> None:
    """A pair is taken off the mean similarity of each to its neighbours of the ranks 1 to 3."""
    some = scattered(2, 30)
    plain = similarity(some, COSINE, unknown(WIDTH))
    ranked = np.sort(plain - 2 * np.eye(30, dtype=np.float32), axis=1)[:, ::-1][:, 1:4].mean(axis=1)
    rule = Rule(dict.fromkeys(KINDS, CROWDED), dict.fromkeys(KINDS, unknown(WIDTH)))
    seen = affinity(some, rule)
    wanted = plain - (ranked[:, None] + ranked) / 2 - CROWDED.bar
    assert np.allclose(seen.margin, wanted, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_missing_neighbours_are_the_usual_crowd(count: int) -> None:
    """Where there are fewer than the lens's ranks, 1 to 3, what is usual stands for the rest."""
    usual = replace(unknown(2), crowded=0.5)
    some = points(angle(*[0.0] * count))
    seen = affinity(some, Rule(dict.fromkeys(KINDS, CROWDED), dict.fromkeys(KINDS, usual)))
    there = min(max(count - 2, 0), 3)
    crowd_ = (there * 1.0 + (3 - there) * 0.5) / 3
    assert np.allclose(seen.margin, 1 - crowd_ - CROWDED.bar, atol=1e-6)


def test_the_spread_is_that_of_all_pairs() -> None:
    """With many texts it is what numpy calls the standard deviation."""
    some = scattered(3, 500)
    found = measured(some, COSINE, unknown(WIDTH))
    own = apart(similarity(some, COSINE, unknown(WIDTH))).std(dtype=np.float64)
    assert found.spread == pytest.approx(own, rel=0.01)


def test_what_all_have_in_common_is_no_spread() -> None:
    """It is counted from the mean, wherever that is."""
    some = scattered(8, 800)
    near = replace(some, vectors=unit(some.vectors + 0.6 * np.eye(1, WIDTH, dtype=np.float32)))
    seen = apart(similarity(near, COSINE, unknown(WIDTH)))
    assert seen.mean() > 0.2
    found = measured(near, COSINE, unknown(WIDTH))
    assert found.spread == pytest.approx(seen.std(dtype=np.float64), rel=0.02)


def test_a_text_is_not_near_to_itself() -> None:
    """Of three as far from each other as can be, none is near to any."""
    found = measured(points(angle(0, 120, 240)), COSINE, replace(unknown(2), repeated=0.0))
    assert found.repeated == pytest.approx(-0.5 * 3 / 23)


def test_the_crowd_and_the_nearest_are_measured() -> None:
    """With many texts: the mean crowd, and the upper quartile of what is nearest after it."""
    some = scattered(4, 500)
    plain = similarity(some, COSINE, unknown(WIDTH))
    ranked = np.sort(plain - 2 * np.eye(500, dtype=np.float32), axis=1)[:, ::-1]
    crowds = ranked[:, 1:4].mean(axis=1)
    nearest = (plain - (crowds[:, None] + crowds) / 2 - 9 * np.eye(500)).max(axis=1)
    found = measured(some, CROWDED, unknown(WIDTH))
    assert found.crowded == pytest.approx(crowds.mean(), abs=0.02)
    assert found.repeated == pytest.approx(np.quantile(nearest, 0.75), abs=0.02)


@pytest.mark.parametrize("lens", [*SHIPPED, COSINE, CROWDED])
def test_few_texts_have_no_opinion(lens: Lens) -> None:
    """What is measured on two or three is near what was thought before; on one, just that."""
    some, thought = scattered(5, 3), replace(unknown(WIDTH), unrelated=0.1)
    assert measured(some.chosen([0]), lens, thought) is thought
    for count in (2, 3):
        found = measured(some.chosen(range(count)), lens, thought)
        assert found.spread == pytest.approx(thought.spread, rel=0.2)
        assert found.crowded == pytest.approx(thought.crowded, abs=0.1)
        assert found.repeated == pytest.approx(thought.repeated, abs=0.15)


def test_equal_texts_have_some_spread() -> None:
    """A bar that counts spreads would be 0 without."""
    found = measured(points(angle(*[0.0] * 300)), COSINE, replace(unknown(2), spread=0.0))
    assert found.spread > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("repeated", [-1.0, 0.0, 0.5, 1.0])
def test_every_bar_is_above_what_unrelated_texts_have(kind: Kind, repeated: float) -> None:
    """However much texts repeat, and however narrow the spread is."""
    for spread in (0.001, 0.1, 0.5):
        place = replace(unknown(2), repeated=repeated, spread=spread)
        assert Rule(lenses(), {kind: place}).bar(kind) > 0


def test_bars_count_spreads_and_repetition() -> None:
    """As the lens says: in spreads or as they are, lower where texts repeat, up to a point."""

    def bar(lens: Lens, place: Geometry) -> float:
        return Rule({"short": lens}, {"short": place}).bar("short")

    place = replace(unknown(2), spread=0.1, repeated=0.3)
    assert bar(COSINE, place) == 0.6
    assert bar(replace(COSINE, in_spreads=True), place) == pytest.approx(0.06)
    repeating = replace(COSINE, repetition=0.5)
    assert bar(repeating, place) == pytest.approx(0.45)
    most = bar(repeating, replace(place, repeated=0.9))
    assert most == bar(repeating, replace(place, repeated=1.0)) < 0.45
