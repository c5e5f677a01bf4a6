"""Average linkage over a neighbourhood, with pieces that must stay whole or apart.

Agglomerative clustering by the mean similarity of all pairs (UPGMA: Sokal and Michener, 1958).
The most similar two groups are joined as long as their mean similarity is at least the bar.
"""

import numpy as np
from numpy.typing import NDArray

from soulcaster.rules.grouping.points import Array

# The similarity of what must not be joined. Finite, so that its weighted means are, too.
NEVER = np.float32(-1e9)


def linked(
    similarity: Array,
    weights: Array,
    blocks: NDArray[np.intp],
    apart: NDArray[np.intp],
    bar: float,
) -> tuple[NDArray[np.intp], Array]:
    """The group of each of n points, and the mean similarity at which it was first joined.

    ``similarity``: [n, n], symmetric. ``weights``: [n], how many items a point stands for.
    ``blocks``: [n], points of the same number >= 0 are one group from the start. ``apart``:
    [n], a group never holds two different numbers >= 0 of it. Similarities at joining are never
    below ``bar``; they are ``NEVER`` for what was joined with nothing. Deterministic: of equally
    similar pairs the first is joined.
    """
    if not len(blocks):
        return np.zeros(0, np.intp), np.zeros(0, np.float32)
    groups = _started(blocks)
    between, mass = _means(similarity, weights, groups)
    side = np.full(len(mass), -1, np.intp)
    side[groups[apart >= 0]] = apart[apart >= 0]
    placed = side >= 0
    between[placed[:, None] & placed & (side[:, None] != side)] = NEVER
    into, levels = _joined(between, mass, np.float32(bar))
    return into[groups], levels[groups]


def _started(blocks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Numbers 0, 1, … of the starting groups: a block is one, every other point its own."""
    alone = blocks.max() + 1 + np.arange(len(blocks))
    keys = np.where(blocks >= 0, blocks, alone)
    _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
    # Numbered by first appearance, which is what "first" means among equally similar pairs.
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    numbered: NDArray[np.intp] = rank[groups]
    return numbered


def _means(
    similarity: Array, weights: Array, groups: NDArray[np.intp]
) -> tuple[Array, NDArray[np.float64]]:
    """The mean similarities between the starting groups, and the weight of each."""
    mass = np.bincount(groups, weights)
    if len(mass) == len(groups):
        return similarity.copy(), mass
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(len(mass)))
    share = weights / mass[groups].astype(np.float32)
    rows = np.add.reduceat((similarity * share[:, None])[order], starts, axis=0)
    between: Array = np.add.reduceat((rows * share)[:, order], starts, axis=1)
    return between, mass


def _joined(
    between: Array, mass: NDArray[np.float64], bar: np.float32
) -> tuple[NDArray[np.intp], Array]:
    """Where each starting group ends up, and the level at which it was first joined.

    Both arguments are used up.
    """
    count = len(mass)
    into = np.arange(count)
    levels = np.full(count, NEVER)
    np.fill_diagonal(between, NEVER)
    nearest = between.argmax(axis=1)
    best = between[into, nearest]
    while best[first := int(best.argmax())] >= bar:
        a, b = sorted((first, int(nearest[first])))
        # The level falls from join to join, so the highest is the first.
        levels[[a, b]] = np.maximum(levels[[a, b]], best[first])
        # a takes b in: means are weighted by how many items each stands for.
        share = np.float32(mass[a] / (mass[a] + mass[b]))
        row = share * between[a] + (1 - share) * between[b]
        row[(between[a] <= NEVER / 2) | (between[b] <= NEVER / 2)] = NEVER
        between[a] = between[:, a] = row
        between[b] = between[:, b] = NEVER
        mass[a] += mass[b]
        into[into == b] = a
        best[b] = NEVER
        # Nobody comes nearer to anything by a join, so only who had a or b for its nearest looks
        # again, and nobody who is below the bar.
        lost = (best >= bar) & ((nearest == a) | (nearest == b))
        lost[a] = True
        rows = np.flatnonzero(lost)
        nearest[rows] = between[rows].argmax(axis=1)
        best[rows] = between[rows, nearest[rows]]
    return into, levels
