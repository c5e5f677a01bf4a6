"""Points and rules to try the grouping rule on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from soulcaster.rules.grouping.affinity import Rule
from soulcaster.rules.grouping.geometry import unit, unknown
from soulcaster.rules.grouping.lens import KINDS, Lens, lenses
from soulcaster.rules.grouping.marks import DIMENSIONS
from soulcaster.rules.grouping.points import Array, Points
from soulcaster.rules.grouping.rebalance import learned
from soulcaster.rules.text_kind import Kind

WIDTH = 16
# Similarity is the cosine, and what joins is one of at least 0.6.
COSINE = Lens(
    marks=0.0,
    removed=None,
    centred=False,
    crowding=0.0,
    first_rank=0,
    last_rank=0,
    in_spreads=False,
    repetition=0.0,
    bar=0.6,
)

seeds = st.integers(0, 2**32 - 1)
# A busy machine is no reason to fail.
several = settings(max_examples=50, deadline=None)


def opened(founder: str) -> str:
    """The name of the cluster that ``founder`` opens."""
    return f"new-{founder}"


def points(
    vectors: Sequence[Sequence[float]] | NDArray[np.float32],
    *,
    ids: Sequence[str] = (),
    kinds: Sequence[Kind] | Kind = "short",
    clusters: Sequence[str] | None = None,
    marks: Array | None = None,
    weights: Sequence[float] | None = None,
    held: Sequence[bool] | None = None,
    names: Sequence[tuple[str, ...]] | None = None,
) -> Points:
    """Points at ``vectors``, of unit length; what is not given is what a new, plain item has."""
    rows = np.array(vectors, np.float32).reshape(len(vectors), -1 if len(vectors) else WIDTH)
    count = len(rows)
    return Points(
        tuple(ids) or tuple(f"i{n:03d}" for n in range(count)),
        (kinds,) * count if isinstance(kinds, str) else tuple(kinds),
        unit(rows),
        np.zeros((count, DIMENSIONS), np.float32) if marks is None else marks,
        ("",) * count if clusters is None else tuple(clusters),
        np.ones(count, np.float32) if weights is None else np.array(weights, np.float32),
        np.zeros(count, bool) if held is None else np.array(held, bool),
        ((),) * count if names is None else tuple(names),
    )


def nothing(width: int = WIDTH) -> Points:
    """No points."""
    return points(np.zeros((1, width), np.float32)).chosen([])


def crowd(seed: int, count: int, *, kinds: Sequence[Kind] = ("short",), groups: int = 6) -> Points:
    """``count`` points around ``groups`` places, of ``kinds`` in turn by chance, new ones."""
    rng = np.random.default_rng(seed)
    places = rng.standard_normal((groups, WIDTH))
    words = rng.standard_normal((groups, DIMENSIONS))
    group = rng.integers(0, groups, count)
    vectors = places[group] + 0.8 * rng.standard_normal((count, WIDTH))
    marks = words[group] + 0.8 * rng.standard_normal((count, DIMENSIONS))
    return points(
        vectors.astype(np.float32),
        kinds=[kinds[i] for i in rng.integers(0, len(kinds), count)],
        marks=unit(marks.astype(np.float32)),
        weights=rng.integers(1, 4, count).tolist(),
    )


def placed(where: Points, seed: int, clusters: int) -> Points:
    """``where`` with each point in one of ``clusters``, by chance."""
    chosen = np.random.default_rng(seed).integers(0, clusters, len(where))
    return replace(where, clusters=tuple(f"c{n}" for n in chosen))


def cosines(width: int = 2) -> Rule:
    """A rule that goes by plain cosines."""
    return Rule(dict.fromkeys(KINDS, COSINE), dict.fromkeys(KINDS, unknown(width)))


def shipped(seen: Points) -> Rule:
    """The shipped rule, in a project of which ``seen`` is known."""
    start = dict.fromkeys(KINDS, unknown(seen.vectors.shape[1]))
    return learned(seen, Rule(lenses(), start))


def angle(*degrees: float) -> list[list[float]]:
    """Directions in the plane, whose cosines are easily worked out."""
    radians = np.radians(degrees)
    return [[float(np.cos(one)), float(np.sin(one))] for one in radians]
