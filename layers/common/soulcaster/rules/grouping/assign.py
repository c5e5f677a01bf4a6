"""Which cluster each of a batch of new items belongs to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soulcaster.rules.grouping.affinity import Affinity, Rule, affinity
from soulcaster.rules.grouping.linkage import NEVER, linked
from soulcaster.rules.grouping.points import Array, Points

NEAREST = 3
# Means this near to the bar are doubtful, on the lens's scale.
DOUBT = 0.04


@dataclass(frozen=True, slots=True)
class Near:
    """An item as a neighbour of another: its cluster, and how similar the two are."""

    id: str
    cluster: str
    score: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where an item goes and why.

    ``score``: its mean similarity to what it was joined with first, or, where it is alone, to the
    cluster that it came nearest to. ``bar``: the least that joins. ``nearest``: of those that it is
    with, or, where it is alone, of those that it isn't with. ``shared``: names of code that it has
    in common with them. ``because``: similar, alone, fingerprint or referee. ``doubtful``: the item
    that a referee would have to compare it with, '' when there is no doubt.
    """

    id: str
    cluster: str
    opened: bool
    score: float
    bar: float
    nearest: tuple[Near, ...]
    shared: tuple[str, ...]
    because: str
    doubtful: str = ""


def assign(
    new: Points,
    known: Points,
    rule: Rule,
    open_cluster: Callable[[str], str],
    verdicts: Mapping[tuple[str, str], bool] | None = None,
) -> list[Assignment]:
    """Place ``new`` items into the clusters of ``known`` ones, or into clusters of their own.

    Existing clusters stay as they are: what joins is decided by average linkage in which each
    of them is one piece and no two ever meet. ``open_cluster`` names a cluster from the least
    id among its items. ``verdicts``: whether a referee holds (new item, known item) to be the same;
    a yes outweighs a no. The answer is in the order of ``new``; that order decides nothing.
    """
    if not len(new):
        return []
    old, fresh = known.sorted(), new.sorted()
    points = old.beside(fresh)
    names = sorted(set(old.clusters))
    number = {name: i for i, name in enumerate(names)}
    home = np.array([number[name] for name in old.clusters] + [-1] * len(fresh), np.intp)
    seen = affinity(points, rule)
    margin = seen.margin.copy()
    judged = _heeded(verdicts or {}, old, fresh, home, margin)
    groups, levels = linked(margin, points.weights, home, home, 0.0)

    called = {int(group): names[h] for group, h in zip(groups, home, strict=True) if h >= 0}
    founders = set()
    for identifier, group in zip(fresh.ids, groups[len(old) :], strict=True):
        if int(group) not in called:
            # Ids ascend, so the first of a group is the one that names it.
            called[int(group)] = open_cluster(identifier)
            founders.add(identifier)
    clusters = [called[int(group)] for group in groups]
    grouped = _Grouped(points, seen, home, groups, levels, clusters)
    found = {
        one: grouped.explained(len(old) + i, opened=one in founders, judged=one in judged)
        for i, one in enumerate(fresh.ids)
    }
    return [found[identifier] for identifier in new.ids]


def _heeded(
    verdicts: Mapping[tuple[str, str], bool],
    old: Points,
    fresh: Points,
    home: NDArray[np.intp],
    margin: Array,
) -> set[str]:
    """Put a referee's words into ``home`` and ``margin``; returns the items they are about."""
    known = {identifier: i for i, identifier in enumerate(old.ids)}
    new = {identifier: len(old) + i for i, identifier in enumerate(fresh.ids)}
    heeded = {pair: same for pair, same in verdicts.items() if pair[0] in new and pair[1] in known}
    for (one, other), same in sorted(heeded.items()):
        if same:
            home[new[one]] = home[known[other]]
    # Only now is it known who is in those clusters.
    for (one, other), same in heeded.items():
        if not same:
            members = home == home[known[other]]
            margin[new[one], members] = margin[members, new[one]] = NEVER
    return {one for one, _ in heeded}


@dataclass(frozen=True, slots=True)
class _Grouped:
    """New points among known ones: the ``home`` that each had, its group, its cluster now."""

    points: Points
    seen: Affinity
    home: NDArray[np.intp]
    groups: NDArray[np.intp]
    levels: Array
    clusters: list[str]

    def explained(self, i: int, *, opened: bool, judged: bool) -> Assignment:
        """What is told of the point at ``i``."""
        weights, bar = self.points.weights, float(self.seen.bars[i])
        scores = self.seen.margin[i] + self.seen.bars[i]
        others = np.arange(len(self.points)) != i
        mates = others & (self.groups == self.groups[i])
        alone = not mates.any()
        # The members of the cluster that it joined, or alone came nearest to.
        placed = others & (self.home >= 0)
        beside = self._nearest_cluster(scores, placed) if alone else placed & mates
        mean = float(np.average(scores[beside], weights=weights[beside])) if beside.any() else 0.0
        doubt = beside.any() and not judged and abs(mean - bar) < DOUBT
        # A referee's yes joins below the bar.
        own = alone or self.home[i] >= 0
        near, shared = reasons(i, others if alone else mates, scores, self.points, self.clusters)
        return Assignment(
            self.points.ids[i],
            self.clusters[i],
            opened,
            rounded(mean if own else self.levels[i] + bar),
            rounded(bar),
            near,
            () if alone else shared,
            "referee" if judged else "alone" if alone else "similar",
            self.points.ids[int(np.where(beside, scores, NEVER).argmax())] if doubt else "",
        )

    def _nearest_cluster(self, scores: Array, placed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which points are in the cluster with the highest mean of ``scores``."""
        home, weights = self.home[placed], self.points.weights[placed]
        means = np.bincount(home, scores[placed] * weights) / np.bincount(home, weights)
        return placed & (self.home == means.argmax()) if len(means) else placed


def reasons(
    i: int, among: NDArray[np.bool_], scores: Array, points: Points, clusters: Sequence[str]
) -> tuple[tuple[Near, ...], tuple[str, ...]]:
    """The nearest to point ``i`` ``among`` others, and the names of code it shares with them.

    ``scores``: [n], each point's similarity to it; ``clusters``: where each is.
    """
    places = np.flatnonzero(among)
    best = places[np.argsort(-scores[places], kind="stable")][:NEAREST]
    theirs = {name for j in best for name in points.names[j]}
    return (
        tuple(Near(points.ids[j], clusters[j], rounded(scores[j])) for j in best),
        tuple(name for name in points.names[i] if name in theirs)[:NEAREST],
    )


def rounded(value: float | np.floating) -> float:
    """A similarity as it is kept."""
    return round(float(value), 4)
