"""A second look at existing clusters, together: what order of arrival did is undone."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from soulcaster.rules.grouping.affinity import Rule, affinity, measured
from soulcaster.rules.grouping.assign import Near, reasons, rounded
from soulcaster.rules.grouping.geometry import centre
from soulcaster.rules.grouping.linkage import linked
from soulcaster.rules.grouping.points import Points


@dataclass(frozen=True, slots=True)
class Move:
    """An item that belongs elsewhere: from where, to where, and why, as in ``Assignment``.

    What is to be alone has no ``nearest``, and a ``score`` of 0.
    """

    id: str
    origin: str
    cluster: str
    score: float
    bar: float
    nearest: tuple[Near, ...]
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rebalanced:
    """``followers``: where the members of an emptied cluster go that were not looked at."""

    moves: tuple[Move, ...]
    followers: Mapping[str, str]


def learned(points: Points, rule: Rule) -> Rule:
    """``rule`` with the geometry of each kind measured on a whole project's ``points``.

    The rule's own geometries are those of the model's background.
    """
    geometries = dict(rule.geometries)
    ordered = points.sorted()
    for kind in sorted(set(points.kinds)):
        mine = ordered.chosen([i for i, k in enumerate(ordered.kinds) if k == kind])
        place = centre(mine.vectors, mine.marks, rule.geometries[kind])
        geometries[kind] = measured(mine, rule.lenses[kind], place)
    return replace(rule, geometries=geometries)


def rebalance(
    points: Points, rule: Rule, settled: Collection[str], open_cluster: Callable[[str], str]
) -> Rebalanced:
    """Group all ``points`` anew by average linkage, and say which of them that moves.

    Points that a correction holds, and all of a ``settled`` cluster, stay where they are, and no
    two such clusters are joined. A group keeps the id of the cluster that most of it was in;
    ``open_cluster`` names one that has none, from the least id in it. Deterministic, whatever
    the order of ``points`` and however they came to be where they are.
    """
    if not len(points):
        return Rebalanced((), {})
    points = points.sorted()
    names = sorted(set(points.clusters))
    number = {name: i for i, name in enumerate(names)}
    now = np.array([number[c] for c in points.clusters], np.intp)
    fixed = points.held | np.isin(now, [number[c] for c in settled if c in number])
    pieces = np.where(fixed, now, -1)
    seen = affinity(points, rule)
    groups, levels = linked(seen.margin, points.weights, pieces, pieces, 0.0)
    called = _called(groups, now, fixed, points, names, open_cluster)
    clusters = [called[int(group)] for group in groups]
    moves = []
    for i in range(len(points)):
        if clusters[i] != points.clusters[i]:
            mates = (groups == groups[i]) & (np.arange(len(points)) != i)
            near, shared = reasons(i, mates, seen.margin[i] + seen.bars[i], points, clusters)
            score, bar = (rounded(levels[i] + seen.bars[i]) if near else 0.0, rounded(seen.bars[i]))
            moves.append(
                Move(points.ids[i], points.clusters[i], clusters[i], score, bar, near, shared)
            )
    return Rebalanced(tuple(moves), _followers(groups, now, points, names, called))


def _called(
    groups: NDArray[np.intp],
    now: NDArray[np.intp],
    fixed: NDArray[np.bool_],
    points: Points,
    names: list[str],
    open_cluster: Callable[[str], str],
) -> dict[int, str]:
    """What each group is called: by the cluster that it overlaps most with."""
    overlap: dict[tuple[int, int], float] = {}
    called: dict[int, str] = {}
    for group, cluster, weight, stays in zip(groups, now, points.weights, fixed, strict=True):
        key = int(group), int(cluster)
        overlap[key] = overlap.get(key, 0.0) + float(weight)
        if stays:
            called[key[0]] = names[key[1]]
    taken = set(called.values())
    for (group, cluster), _ in sorted(overlap.items(), key=lambda one: (-one[1], one[0])):
        if group not in called and names[cluster] not in taken:
            called[group] = names[cluster]
            taken.add(names[cluster])
    for i, group in enumerate(groups):
        if int(group) not in called:
            called[int(group)] = open_cluster(points.ids[i])
    return called


def _followers(
    groups: NDArray[np.intp],
    now: NDArray[np.intp],
    points: Points,
    names: list[str],
    called: Mapping[int, str],
) -> dict[str, str]:
    kept = set(called.values())
    following: dict[str, str] = {}
    for cluster, name in enumerate(names):
        if name in kept:
            continue
        mine = now == cluster
        mass = np.bincount(groups[mine], points.weights[mine])
        following[name] = called[int(mass.argmax())]
    return following
