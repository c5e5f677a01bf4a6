"""Which cluster new items are put into, and what is said of it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.grouping.affinity import Rule
from soulcaster.rules.grouping.assign import Assignment, assign
from soulcaster.rules.grouping.lens import KINDS
from soulcaster.rules.grouping.points import Points
from tests.rules.grouping.made import (
    COSINE,
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

COUNTS = st.integers(0, 30)


def put(
    new: Points,
    known: Points,
    rule: Rule,
    verdicts: Mapping[tuple[str, str], bool] | None = None,
) -> dict[str, Assignment]:
    """What becomes of each new item."""
    return {one.id: one for one in assign(new, known, rule, opened, verdicts)}


def batch(seed: int, count: int, known: int) -> tuple[Points, Points, Rule]:
    """``count`` new items of all kinds among ``known`` ones, and a project's rule."""
    all_ = crowd(seed, 1 + count + known, kinds=KINDS)
    new = all_.chosen(range(1, 1 + count))
    old = placed(all_.chosen(range(1 + count, len(all_))), seed, 5)
    return new, old, shipped(all_)


@several
@given(seeds, COUNTS, COUNTS)
def test_no_order_decides(seed: int, count: int, known: int) -> None:
    """Neither that of the batch nor that of what is known; the answer is in the batch's."""
    new, old, rule = batch(seed, count, known)
    rng = np.random.default_rng(seed)
    order, others = rng.permutation(count), rng.permutation(known)
    found = assign(new, old, rule, opened)
    again = assign(new.chosen(order), old.chosen(others), rule, opened)
    assert [one.id for one in found] == list(new.ids)
    assert again == [found[i] for i in order]


@several
@given(seeds, COUNTS, COUNTS)
def test_every_item_has_one_place(seed: int, count: int, known: int) -> None:
    """A known cluster, or a new one that is named by the least of those that are in it."""
    new, old, rule = batch(seed, count, known)
    found = put(new, old, rule)
    members: dict[str, list[str]] = {}
    for one in found.values():
        members.setdefault(one.cluster, []).append(one.id)
    for cluster, ids in members.items():
        if cluster in old.clusters:
            assert not any(found[i].opened for i in ids)
        else:
            assert cluster == opened(min(ids))
            assert [i for i in ids if found[i].opened] == [min(ids)]


@several
@given(seeds, COUNTS, COUNTS)
def test_what_is_said_is_what_was_done(seed: int, count: int, known: int) -> None:
    """Who joined was above the bar, who is alone says so, and neighbours come nearest first."""
    new, old, rule = batch(seed, count, known)
    found = put(new, old, rule)
    clusters = dict(zip(old.ids, old.clusters, strict=True))
    clusters |= {one.id: one.cluster for one in found.values()}
    for one in found.values():
        mates = [i for i, cluster in clusters.items() if cluster == one.cluster and i != one.id]
        alone = not mates
        assert one.because == ("alone" if alone else "similar")
        assert alone or one.score >= one.bar - 1e-4
        scores = [near.score for near in one.nearest]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == min(3, len(mates) if mates else len(clusters) - 1)
        assert all(near.cluster == clusters[near.id] for near in one.nearest)
        assert alone or {near.id for near in one.nearest} <= set(mates)


def test_it_joins_what_it_is_like() -> None:
    """A cosine of 0.94 to one cluster and 0.17 to another."""
    known = points(angle(0, 100), ids=["a", "b"], clusters=["A", "B"])
    (one,) = assign(points(angle(20), ids=["n"]), known, cosines(), opened)
    assert (one.cluster, one.opened, one.because) == ("A", False, "similar")
    assert (one.score, one.bar) == (0.9397, 0.6)
    assert [(near.id, near.cluster, near.score) for near in one.nearest] == [("a", "A", 0.9397)]


def test_what_is_like_nothing_is_alone() -> None:
    """It opens a cluster, and says which it came nearest to."""
    known = points(
        angle(0, 10, 70, 170),
        ids=["a", "b", "c", "d"],
        clusters=["A", "A", "C", "C"],
        names=[("toCsv",)] * 4,
        weights=[1, 1, 1, 9],
    )
    new = points(angle(90), ids=["n"], names=[("toCsv",)])
    (one,) = assign(new, known, cosines(), opened)
    assert (one.cluster, one.opened, one.because) == ("new-n", True, "alone")
    # To C it is 0.94 and 0.17, which weighs nine times as much: 0.25. To A it is 0.09.
    assert one.score == pytest.approx((0.9397 + 9 * 0.1736) / 10, abs=1e-3)
    assert [near.id for near in one.nearest] == ["c", "b", "d"]
    assert one.shared == ()
    light = replace(known, weights=np.array([1, 9, 1, 99], np.float32))
    (one,) = assign(new, light, cosines(), opened)
    assert one.score == pytest.approx((0.9397 + 99 * 0.1736) / 100, abs=1e-3)


def test_known_clusters_never_meet() -> None:
    """Not even where something equals a member of each: it joins one of them."""
    known = points(angle(0, 0), ids=["a", "b"], clusters=["A", "B"])
    found = put(points(angle(0, 0, 0), ids=["x", "y", "z"]), known, cosines())
    assert {one.cluster for one in found.values()} <= {"A", "B"}


def test_it_takes_the_mean_of_a_cluster() -> None:
    """One good neighbour is not enough: the mean to 0°, 0° and 60° is below the bar at 100°."""
    known = points(angle(0, 0, 60), clusters=["A"] * 3, ids=["a", "b", "c"])
    (one,) = assign(points(angle(100), ids=["n"]), known, cosines(), opened)
    assert one.opened
    heavy = replace(known, weights=np.array([1, 1, 60], np.float32))
    (one,) = assign(points(angle(100), ids=["n"]), heavy, cosines(), opened)
    assert one.cluster == "A"


def test_equally_near_ones_are_told_in_the_order_of_their_ids() -> None:
    """Whatever order they were read in."""
    known = points(angle(*[0.0] * 5), ids=list("ecadb"), clusters=["A"] * 5)
    (one,) = assign(points(angle(0), ids=["n"]), known, cosines(), opened)
    assert [near.id for near in one.nearest] == ["a", "b", "c"]


def test_a_batch_is_grouped_as_a_whole() -> None:
    """Two that are alike go together, and a known cluster takes both or none."""
    new = points(angle(40, 60), ids=["x", "y"])
    near = put(new, points(angle(0), ids=["a"], clusters=["A"]), cosines())
    assert {one.cluster for one in near.values()} == {"A"}
    assert near["x"].score == near["y"].score == pytest.approx(np.cos(np.radians(20)), abs=1e-4)
    far = put(new, points(angle(-10), ids=["a"], clusters=["A"]), cosines())
    assert {one.cluster for one in far.values()} == {"new-x"}
    assert (far["x"].opened, far["y"].opened) == (True, False)


def test_nothing_new_and_nothing_known() -> None:
    """No items have no places, and the first item opens the first cluster."""
    known = points(angle(0), clusters=["A"])
    assert assign(nothing(2), known, cosines(), opened) == []
    (one,) = assign(points(angle(0), ids=["n"]), nothing(2), cosines(), opened)
    assert one == Assignment("n", "new-n", True, 0.0, 0.6, (), (), "alone")


def test_kinds_may_meet() -> None:
    """Two kinds are held to the mean of both bars."""
    lenses = {**dict.fromkeys(KINDS, COSINE), "error": COSINE.with_bar(0.9)}
    rule = replace(cosines(), lenses=lenses)
    known = points(angle(0), ids=["a"], clusters=["A"], kinds="error")
    short = put(points(angle(30, 50), ids=["m", "n"]), known, rule)
    assert short["m"].cluster == "A"
    assert put(points(angle(45), ids=["n"]), known, rule)["n"].cluster == "new-n"
    assert put(points(angle(30), ids=["n"], kinds="error"), known, rule)["n"].cluster == "new-n"
    # What a short one is told is on its own scale.
    assert short["m"].bar == 0.6


def test_a_referee_decides() -> None:
    """Yes puts together what is unlike, no keeps apart what is alike; both are said."""
    known = points(angle(0, 90), ids=["a", "b"], clusters=["A", "B"])
    new = points(angle(0), ids=["n"])
    assert put(new, known, cosines())["n"].cluster == "A"
    yes = put(new, known, cosines(), {("n", "b"): True})["n"]
    assert (yes.cluster, yes.because, yes.score) == ("B", "referee", 0.0)
    no = put(new, known, cosines(), {("n", "a"): False})["n"]
    assert (no.cluster, no.because, no.score) == ("new-n", "referee", 1.0)
    both = put(new, known, cosines(), {("n", "a"): False, ("n", "b"): True})["n"]
    assert both.cluster == "B"


def test_a_no_holds_for_all_of_the_cluster() -> None:
    """Also for who is put there by another word, and through third ones."""
    known = points(angle(0), ids=["a"], clusters=["A"])
    new = points(angle(0, 0, 2), ids=["k", "m", "n"])
    found = put(new, known, cosines(), {("k", "a"): False, ("m", "a"): True})
    assert found["m"].cluster == found["n"].cluster == "A"
    assert found["k"].cluster == "new-k"


def test_words_on_others_are_not_heard() -> None:
    """Of items that are not here, of two new ones, of known ones: clusters stay as they are."""
    known = points(angle(0, 90), ids=["a", "b"], clusters=["A", "B"])
    new = points(angle(0, 90), ids=["m", "n"])
    words = {("a", "b"): True, ("m", "n"): True, ("x", "a"): True, ("m", "x"): False}
    assert put(new, known, cosines(), words) == put(new, known, cosines())


@pytest.mark.parametrize(
    ("at", "asked"), [(0, ""), (49, ""), (50, "a"), (54, "a"), (56, ""), (90, "")]
)
def test_what_is_near_the_bar_is_doubtful(at: float, asked: str) -> None:
    """A referee would be asked about the nearest of the cluster that it joins or nearly joins."""
    # The means are 0.643 at 49°, 0.629 at 50°, 0.574 at 54° and 0.545 at 56°.
    known = points(angle(0, -2), ids=["a", "b"], clusters=["A", "A"])
    found = put(points(angle(at), ids=["n"]), known, cosines())["n"]
    assert found.doubtful == asked
    if asked:
        words = {("n", asked): False}
        assert put(points(angle(at), ids=["n"]), known, cosines(), words)["n"].doubtful == ""


def test_names_that_it_shares_with_the_nearest() -> None:
    """In the order in which it says them, three at most."""
    known = points(
        angle(0, 5),
        ids=["a", "b"],
        clusters=["A", "A"],
        names=[("db.read", "HTTP"), ("saveAll", "toCsv", "db.open", "other")],
    )
    mine = ("mine", "toCsv", "db.read", "saveAll", "db.open")
    found = put(points(angle(1), ids=["n"], names=[mine]), known, cosines())["n"]
    assert found.shared == ("toCsv", "db.read", "saveAll")
