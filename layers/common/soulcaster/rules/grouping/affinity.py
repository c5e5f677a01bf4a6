"""How alike the points of a neighbourhood are, and what each kind of text needs to be joined."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from soulcaster.rules.grouping.geometry import Geometry, unit
from soulcaster.rules.grouping.lens import Lens
from soulcaster.rules.grouping.points import Array, Points
from soulcaster.rules.text_kind import Kind

# How many pairs, and how many texts, the background's figures count for beside the project's.
BACKGROUND_PAIRS = 500
BACKGROUND_NEAREST = 20
REPEATED_QUANTILE = 0.75
# Where a quarter of all texts have a copy, the others are no more alike than elsewhere: a bar that
# went on falling would put everything together.
REPEATED_MOST = 0.43


@dataclass(frozen=True, slots=True)
class Rule:
    """What decides: the lens of each kind, and the project's geometry seen through it."""

    lenses: Mapping[Kind, Lens]
    geometries: Mapping[Kind, Geometry]

    def bar(self, kind: Kind) -> float:
        """The least mean similarity that joins texts of ``kind``."""
        lens, geometry = self.lenses[kind], self.geometries[kind]
        bar = lens.bar * geometry.spread if lens.in_spreads else lens.bar
        return bar - lens.repetition * min(geometry.repeated, REPEATED_MOST)


@dataclass(frozen=True, slots=True)
class Affinity:
    """``margin``: [n, n], how far each pair's similarity is above the bar. ``bars``: [n]."""

    margin: Array
    bars: Array


def affinity(points: Points, rule: Rule) -> Affinity:
    """How far above the bar each pair of ``points`` is.

    A pair of two kinds is seen through both lenses and gets the mean of its margins.
    """
    kinds = sorted(set(points.kinds))
    codes = np.array(points.kinds)
    bars = np.array([rule.bar(kind) for kind in points.kinds], np.float32)
    margin = np.zeros((len(points), len(points)), np.float32)
    for kind in kinds:
        lens, geometry = rule.lenses[kind], rule.geometries[kind]
        seen = similarity(points, lens, geometry)
        _uncrowd(seen, lens, geometry)
        seen -= np.float32(rule.bar(kind))
        if len(kinds) == 1:
            return Affinity(seen, bars)
        mine = (codes == kind).astype(np.float32) / 2
        seen *= mine[:, None] + mine[None]
        margin += seen
    return Affinity(margin, bars)


def similarity(points: Points, lens: Lens, geometry: Geometry) -> Array:
    """Similarities [n, n] through ``lens``: 0 for unrelated texts, 1 for equal ones."""
    words = unit(points.marks - geometry.marks_mean) if lens.centred else points.marks
    share = np.float32(lens.marks)
    if lens.removed is None:
        scale = (1 - share) / np.float32(1 - geometry.unrelated)
        seen = points.vectors @ points.vectors.T
        seen -= np.float32(geometry.unrelated)
        seen *= scale
        seen += share * (words @ words.T)
        return seen
    centred = points.vectors - geometry.mean
    top = geometry.directions[: lens.removed]
    centred -= centred @ top.T @ top
    # One product of rows laid side by side is the weighted sum of two.
    rows = np.hstack([unit(centred) * np.sqrt(1 - share), words * np.sqrt(share)])
    result: Array = rows @ rows.T
    return result


def measured(points: Points, lens: Lens, geometry: Geometry) -> Geometry:
    """``geometry`` with its figures measured on ``points``, all of one kind.

    What it held before counts for a few texts, so that a project of three has no opinion.
    """
    count = len(points)
    if count < 2:
        return geometry
    seen = similarity(points, lens, geometry)
    pairs = count * (count - 1)
    np.fill_diagonal(seen, 0)
    weight = pairs + BACKGROUND_PAIRS
    mean = float(seen.sum(dtype=np.float64)) / weight
    squares = float(np.einsum("ij,ij->", seen, seen, dtype=np.float64))
    prior = BACKGROUND_PAIRS * geometry.spread**2
    spread = float(np.sqrt(max((squares + prior) / weight - mean * mean, 1e-6)))
    crowd = _uncrowd(seen, lens, geometry)
    crowded = _shrunk(float(crowd.mean()), geometry.crowded, count)
    np.fill_diagonal(seen, -np.inf)
    nearest = float(np.quantile(seen.max(axis=1), REPEATED_QUANTILE))
    repeated = _shrunk(nearest, geometry.repeated, count)
    return replace(geometry, spread=spread, crowded=crowded, repeated=repeated)


def _shrunk(own: float, background: float, count: int) -> float:
    return (own * count + background * BACKGROUND_NEAREST) / (count + BACKGROUND_NEAREST)


def _uncrowd(seen: Array, lens: Lens, geometry: Geometry) -> Array:
    """Take off, in place, what each pair has in common with what is around it.

    Returns each point's crowd, without the lens's share: [n].
    """
    if not lens.crowding:
        return np.zeros(len(seen), np.float32)
    crowd = _crowd(seen, lens, geometry)
    half = np.float32(lens.crowding / 2) * crowd
    seen -= np.add.outer(half, half)
    return crowd


def _crowd(seen: Array, lens: Lens, geometry: Geometry) -> Array:
    """For each point the mean similarity to its neighbours of the lens's ranks: [n].

    Where there are fewer neighbours, the usual crowd stands for those that are missing.
    """
    count, wanted = len(seen), lens.last_rank - lens.first_rank
    have = max(min(lens.last_rank, count - 1) - lens.first_rank, 0)
    missing = np.float32((wanted - have) * geometry.crowded)
    if not have:
        return np.full(count, missing / wanted, np.float32)
    diagonal = np.arange(count)
    own = seen[diagonal, diagonal].copy()
    seen[diagonal, diagonal] = np.inf  # a text is its own nearest: rank 0 is the next
    high = count - 1 - lens.first_rank
    low = high - have
    ranked = np.partition(seen, (low, high - 1), axis=1)[:, low:high]
    seen[diagonal, diagonal] = own
    result: Array = (ranked.sum(axis=1) + missing) / np.float32(wanted)
    return result
