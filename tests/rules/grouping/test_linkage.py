"""Average linkage with pieces that stay whole or apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from soulcaster.rules.grouping.linkage import NEVER, linked
from soulcaster.rules.grouping.points import Array
from tests.rules.grouping.made import seeds, several

COUNTS = st.integers(1, 24)
BARS = st.floats(-1, 1, width=32)


def alike(count: int, rng: np.random.Generator) -> Array:
    """Similarities of ``count`` points, no two pairs equally similar."""
    values = rng.standard_normal((count, count)).astype(np.float32)
    return values + values.T


def free(count: int) -> NDArray[np.intp]:
    """Neither in a block nor to be kept apart."""
    return np.full(count, -1, np.intp)


def ones(count: int) -> Array:
    return np.ones(count, np.float32)


def partition(groups: NDArray[np.intp]) -> set[frozenset[int]]:
    """The groups as sets of places, whatever they are called."""
    return {frozenset(np.flatnonzero(groups == group).tolist()) for group in groups}


def by_scipy(similarity: Array, bar: float) -> NDArray[np.intp]:
    """What average linkage cut at ``bar`` finds."""
    if len(similarity) == 1:
        return np.zeros(1, np.intp)
    top = float(similarity.max())
    distance = top - similarity.astype(np.float64)
    np.fill_diagonal(distance, 0)
    found: NDArray[np.intp] = fcluster(
        linkage(squareform(distance, checks=False), "average"), top - bar, "distance"
    )
    return found


@several
@given(seeds, COUNTS, BARS)
def test_it_is_average_linkage(seed: int, count: int, bar: float) -> None:
    """Without blocks and weights it finds what scipy finds."""
    similarity = alike(count, np.random.default_rng(seed))
    groups, _ = linked(similarity, ones(count), free(count), free(count), bar)
    assert partition(groups) == partition(by_scipy(similarity, bar))


@several
@given(seeds, st.integers(1, 12), BARS)
def test_a_weight_is_that_many_points(seed: int, count: int, bar: float) -> None:
    """A point that stands for three counts like three in one place."""
    rng = np.random.default_rng(seed)
    similarity, weights = alike(count, rng), rng.integers(1, 5, count)
    of = np.repeat(np.arange(count), weights)
    each = similarity[np.ix_(of, of)]
    each[of[:, None] == of] = 100  # copies are together before anything else
    groups, _ = linked(similarity, weights.astype(np.float32), free(count), free(count), bar)
    assert partition(groups[of]) == partition(by_scipy(each, bar))


@several
@given(seeds, COUNTS, BARS)
def test_a_block_is_one_point_of_their_means(seed: int, count: int, bar: float) -> None:
    """It stays whole, and counts by the mean of its members and their weights."""
    rng = np.random.default_rng(seed)
    similarity, weights = alike(count, rng), rng.integers(1, 5, count).astype(np.float32)
    blocks = rng.integers(-1, 5, count)
    of = np.where(blocks < 0, 5 + np.arange(count), blocks)
    starts = list(dict.fromkeys(of.tolist()))
    member = np.array([weights * (of == start) for start in starts])
    mass = member.sum(axis=1)
    means = (member @ similarity @ member.T / np.outer(mass, mass)).astype(np.float32)
    small, _ = linked(means, mass, free(len(starts)), free(len(starts)), bar)
    groups, _ = linked(similarity, weights, blocks, free(count), bar)
    assert partition(groups) == partition(small[[starts.index(start) for start in of]])


@several
@given(seeds, COUNTS, BARS)
def test_what_is_apart_never_meets(seed: int, count: int, bar: float) -> None:
    """Neither directly nor through others, and blocks stay whole all the same."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(-1, 5, count)
    apart = np.where(blocks < 0, rng.integers(-1, 3, count), blocks)
    groups, _ = linked(alike(count, rng), ones(count), blocks, apart, bar)
    for group in partition(groups):
        members = list(group)
        assert len(set(apart[members].tolist()) - {-1}) <= 1
    for block in set(blocks.tolist()) - {-1}:
        assert len(set(groups[blocks == block].tolist())) == 1


@several
@given(seeds, COUNTS, BARS)
def test_all_that_may_be_joined_is(seed: int, count: int, bar: float) -> None:
    """No two groups are left that are similar enough, and none that was joined was not."""
    rng = np.random.default_rng(seed)
    similarity, apart = alike(count, rng), rng.integers(-1, 3, count)
    groups, levels = linked(similarity, ones(count), free(count), apart, bar)
    assert np.all((levels >= np.float32(bar)) | (levels == NEVER))
    found = [sorted(group) for group in partition(groups)]
    for one in found:
        assert all((levels[i] == NEVER) == (len(one) == 1) for i in one)
        for other in found:
            sides = set(apart[one + other].tolist()) - {-1}
            if one != other and len(sides) < 2:
                assert similarity[np.ix_(one, other)].mean() < bar + 1e-4


@several
@given(seeds, COUNTS, BARS)
def test_the_level_is_that_of_the_first_join(seed: int, count: int, bar: float) -> None:
    """Of a point alone, its similarity to the most similar of those that it ends up with, or
    to a group of them; so never above the highest, and for two alone exactly theirs.
    """
    similarity = alike(count, np.random.default_rng(seed))
    groups, levels = linked(similarity, ones(count), free(count), free(count), bar)
    for group in partition(groups):
        members = sorted(group)
        for i in members:
            mates = [j for j in members if j != i]
            if mates:
                assert levels[i] <= similarity[i, mates].max() + 1e-5
        if len(members) == 2:
            assert levels[members].tolist() == [similarity[members[0], members[1]]] * 2


@several
@given(seeds, COUNTS, BARS)
def test_it_does_the_same_again(seed: int, count: int, bar: float) -> None:
    """The same input gives the same numbers, and is left as it was."""
    rng = np.random.default_rng(seed)
    similarity, weights = alike(count, rng), ones(count)
    blocks, apart = rng.integers(-1, 4, count), rng.integers(-1, 2, count)
    before = [array.tobytes() for array in (similarity, weights, blocks, apart)]
    first, second = (linked(similarity, weights, blocks, apart, bar) for _ in range(2))
    assert [array.tobytes() for array in first] == [array.tobytes() for array in second]
    assert [array.tobytes() for array in (similarity, weights, blocks, apart)] == before


def test_of_equally_similar_pairs_the_first_is_joined() -> None:
    """Three points in a row, the middle as near to one end as to the other."""
    similarity = np.array([[1, 0.7, 0], [0.7, 1, 0.7], [0, 0.7, 1]], np.float32)
    groups, _ = linked(similarity, ones(3), free(3), free(3), 0.6)
    assert partition(groups) == {frozenset({0, 1}), frozenset({2})}


def test_just_the_bar_joins() -> None:
    """A mean similarity of exactly the bar is enough."""
    groups, levels = linked(np.full((2, 2), 0.5, np.float32), ones(2), free(2), free(2), 0.5)
    assert partition(groups) == {frozenset({0, 1})}
    assert levels.tolist() == [0.5, 0.5]


def test_a_last_digit_decides_nothing() -> None:
    """Means of blocks may differ in it from one side to the other."""
    similarity = np.array([[1, 0.8, 0.8], [0.8, 1, 0], [0.8, 0, 1]], np.float32)
    similarity[0, 2] += np.float32(1e-6)
    similarity[1, 0] += np.float32(2e-6)
    groups, _ = linked(similarity, ones(3), free(3), free(3), 0.7)
    assert partition(groups) == {frozenset({0, 1}), frozenset({2})}


def test_who_is_in_between_joins_one_side_only() -> None:
    """Two that are apart, and a third like both: it goes to the nearer, the other stays alone."""
    similarity = np.array([[1, 0.9, 0.95], [0.9, 1, 0.97], [0.95, 0.97, 1]], np.float32)
    groups, levels = linked(similarity, ones(3), free(3), np.array([0, 1, -1]), 0.5)
    assert partition(groups) == {frozenset({0}), frozenset({1, 2})}
    assert levels.tolist() == [NEVER, np.float32(0.97), np.float32(0.97)]


@pytest.mark.parametrize("weight", [1, 1e12])
def test_never_outweighs_any_weight(weight: float) -> None:
    """What is never to be joined with one is not joined with a group of it either."""
    similarity = np.array([[1, NEVER, 1], [NEVER, 1, 1], [1, 1, 1]], np.float32)
    weights = np.array([1, 1, weight], np.float32)
    groups, _ = linked(similarity, weights, free(3), free(3), 0.5)
    assert partition(groups) == {frozenset({0, 2}), frozenset({1})}


def test_nothing_and_one() -> None:
    """No points have no groups, and one has its own."""
    for count in (0, 1):
        groups, levels = linked(
            np.ones((count, count), np.float32), ones(count), free(count), free(count), 0.5
        )
        assert (groups.tolist(), levels.tolist()) == ([0] * count, [NEVER] * count)
