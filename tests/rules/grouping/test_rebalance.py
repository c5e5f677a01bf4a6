"""A second look at all clusters together."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.grouping.affinity import Rule
from soulcaster.rules.grouping.geometry import unit, unknown
from soulcaster.rules.grouping.lens import KINDS, lenses
from soulcaster.rules.grouping.points import Points
from soulcaster.rules.grouping.rebalance import Rebalanced, learned, rebalance
from soulcaster.rules.text_kind import Kind
from tests.rules.grouping.made import (
    angle,
    cosines,
    crowd,
    nothing,
    opened,
    placed,
    points,
    seeds,
    several,
    shipped,
)

COUNTS = st.integers(1, 40)


def after(where: Points, found: Rebalanced) -> Points:
    """``where`` with the moves done."""
    to = {move.id: move.cluster for move in found.moves}
    clusters = [to.get(i, was) for i, was in zip(where.ids, where.clusters, strict=True)]
    return replace(where, clusters=tuple(clusters))


def partition(where: Points) -> set[frozenset[str]]:
    """Who is with whom, whatever the clusters are called."""
    members: dict[str, set[str]] = {}
    for identifier, cluster in zip(where.ids, where.clusters, strict=True):
        members.setdefault(cluster, set()).add(identifier)
    return {frozenset(one) for one in members.values()}


def project(seed: int, count: int) -> tuple[Points, Rule]:
    """A project of ``count`` items in clusters that chance has put them into, some held."""
    where = placed(crowd(seed, count, kinds=KINDS), seed, 8)
    held = np.random.default_rng(seed).random(count) < 0.2
    return replace(where, held=held), shipped(where)


@several
@given(seeds, COUNTS, st.sets(st.sampled_from(["c0", "c1", "c2", "c99"])))
def test_what_is_fixed_stays(seed: int, count: int, settled: set[str]) -> None:
    """What a correction holds, and all of a settled cluster; and no two of these are joined."""
    where, rule = project(seed, count)
    found = rebalance(where, rule, settled, opened)
    then = after(where, found)
    was = dict(zip(where.ids, where.clusters, strict=True))
    stays = dict(zip(where.ids, where.held.tolist(), strict=True))
    for move in found.moves:
        assert move.origin == was[move.id] != move.cluster
        assert not stays[move.id]
        assert move.origin not in settled
    assert settled & set(where.clusters) <= set(then.clusters)
    assert not settled & found.followers.keys()


@several
@given(seeds, COUNTS)
def test_no_order_decides(seed: int, count: int) -> None:
    """The same points in any order: the same moves."""
    where, rule = project(seed, count)
    order = np.random.default_rng(seed).permutation(count)
    found = rebalance(where, rule, ["c1"], opened)
    assert rebalance(where.chosen(order), rule, ["c1"], opened) == found
    assert [move.id for move in found.moves] == sorted(move.id for move in found.moves)


@several
@given(seeds, COUNTS, st.sets(st.sampled_from(["c0", "c1"])))
def test_looking_again_moves_nothing(seed: int, count: int, settled: set[str]) -> None:
    """With nothing new there is nothing to do."""
    where, rule = project(seed, count)
    then = after(where, rebalance(where, rule, settled, opened))
    assert rebalance(then, rule, settled, opened) == Rebalanced((), {})


@several
@given(seeds, COUNTS)
def test_how_they_came_there_does_not_matter(seed: int, count: int) -> None:
    """Where nothing is held, only the names depend on where the points are now."""
    where = placed(crowd(seed, count, kinds=KINDS), seed, 8)
    other = placed(where, seed + 1, 3)
    rule = shipped(where)
    one, two = (after(now, rebalance(now, rule, (), opened)) for now in (where, other))
    assert partition(one) == partition(two)


@several
@given(seeds, COUNTS)
def test_moves_say_why(seed: int, count: int) -> None:
    """Who joined was above the bar; neighbours are where they will be, the nearest first."""
    where, rule = project(seed, count)
    found = rebalance(where, rule, (), opened)
    then = after(where, found)
    places = dict(zip(then.ids, then.clusters, strict=True))
    sizes = Counter(then.clusters)
    for move in found.moves:
        scores = [near.score for near in move.nearest]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == min(3, sizes[move.cluster] - 1)
        assert {near.cluster for near in move.nearest} <= {move.cluster}
        assert all(places[near.id] == near.cluster for near in move.nearest)
        assert move.score >= move.bar - 1e-4 if scores else move.score == 0


def test_no_points() -> None:
    """Nothing to look at, nothing to move."""
    assert rebalance(nothing(2), cosines(), ["gone"], opened) == Rebalanced((), {})


def test_two_halves_of_one_matter_are_joined() -> None:
    """The larger part keeps its name, and what was left behind follows."""
    where = points(angle(0, 1, 2, 90), ids=list("abcd"), clusters=["A", "B", "B", "C"])
    found = rebalance(where, cosines(), (), opened)
    assert [(move.id, move.origin, move.cluster) for move in found.moves] == [("a", "A", "B")]
    assert found.followers == {"A": "B"}


def test_two_matters_in_one_cluster_are_parted() -> None:
    """The part that weighs more keeps the name, the other is named by the least in it."""
    where = points(angle(0, 1, 90, 91), ids=list("abcd"), clusters=["A"] * 4)
    found = rebalance(where, cosines(), (), opened)
    assert [(move.id, move.cluster) for move in found.moves] == [("c", "new-c"), ("d", "new-c")]
    assert found.followers == {}
    heavy = replace(where, weights=np.array([1, 1, 1, 2], np.float32))
    found = rebalance(heavy, cosines(), (), opened)
    assert [(move.id, move.cluster) for move in found.moves] == [("a", "new-a"), ("b", "new-a")]


def test_a_name_is_held_with_what_is_held() -> None:
    """One held point keeps its cluster's name, however many others go elsewhere."""
    where = points(
        angle(0, 1, 2, 90), ids=list("abcd"), clusters=["A"] * 4, held=[False] * 3 + [True]
    )
    found = rebalance(where, cosines(), (), opened)
    assert {move.id: move.cluster for move in found.moves} == dict.fromkeys("abc", "new-a")
    assert found.followers == {}


def test_followers_go_where_most_of_their_cluster_goes() -> None:
    """By weight: a point stands for members that were not looked at."""
    where = points(
        angle(0, 0, 0, 90, 90, 0, 90),
        ids=list("abcdefg"),
        clusters=["A", "A", "A", "B", "B", "C", "C"],
        weights=[1, 1, 1, 1, 1, 1, 5],
    )
    found = rebalance(where, cosines(), (), opened)
    # C weighs more at 90° than B does, so B is what comes to an end there.
    assert {move.id: move.cluster for move in found.moves} == {"d": "C", "e": "C", "f": "A"}
    assert found.followers == {"B": "C"}
    lighter = replace(where, weights=np.array([1, 1, 1, 2, 1, 1, 2], np.float32))
    found = rebalance(lighter, cosines(), (), opened)
    assert {move.id: move.cluster for move in found.moves} == {"f": "A", "g": "B"}
    assert found.followers == {"C": "B"}


def test_a_rule_is_learned_kind_by_kind() -> None:
    """From the points of each kind; a kind without points keeps the model's background."""
    where = crowd(7, 60, kinds=("short", "report"))
    start = Rule(lenses(), dict.fromkeys(KINDS, unknown(where.vectors.shape[1])))
    rule = learned(where, start)
    counts = {kind: rule.geometries[kind].count for kind in KINDS}
    assert counts == {**Counter(where.kinds), "error": 0}
    assert rule.geometries["error"] is start.geometries["error"]
    again = learned(where.chosen(range(59, -1, -1)), start)
    assert all(rule.geometries[k].to_text() == again.geometries[k].to_text() for k in KINDS)


@pytest.mark.parametrize("kind", ["report", "error"])
@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_copies_do_not_draw_everything_together(kind: Kind, share: float) -> None:
    """Where many texts have a near copy, each pair is a cluster, and the others are alone."""
    rng = np.random.default_rng(3)
    count, width = 100, 64
    copied = int(share * count)
    vectors = rng.standard_normal((count, width))
    words = rng.standard_normal((count, 512))
    where = points(
        np.vstack([vectors, vectors[:copied] + 0.2 * rng.standard_normal((copied, width))]),
        marks=unit(np.vstack([words, words[:copied]]).astype(np.float32)),
        kinds=kind,
        clusters=["one"] * (count + copied),
    )
    then = after(where, rebalance(where, shipped(where), (), opened))
    pairs = {frozenset({where.ids[i], where.ids[count + i]}) for i in range(copied)}
    alone = {frozenset({identifier}) for identifier in where.ids[copied:count]}
    assert partition(then) == pairs | alone
