"""What the space of an embedding model is like, measured on texts that are about nothing in common.

What comes out is where a project starts from that has said nothing yet; see ``background``.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

import numpy as np

from soulcaster.rules.grouping.affinity import Rule
from soulcaster.rules.grouping.geometry import Geometry, unknown
from soulcaster.rules.grouping.lens import KINDS, Lens
from soulcaster.rules.grouping.points import Array, Points
from soulcaster.rules.grouping.rebalance import learned
from soulcaster.rules.text_kind import Kind

# A mean of fewer texts is theirs, not the model's.
ENOUGH_TEXTS = 50
ALL_ALIKE = 0.99
# What of a lens the measured figures don't depend on.
_LATER = ("bar", "in_spreads", "repetition")


def calibrated(points: Points, lenses: Mapping[Kind, Lens]) -> dict[Kind, Geometry]:
    """The geometry of each kind of ``points``, seen through ``lenses``.

    Raises ``ValueError`` when a kind has fewer than 50 points, or its vectors are all alike.
    """
    found: dict[Kind, Geometry] = {}
    for kind in KINDS:
        mine = points.chosen([i for i, k in enumerate(points.kinds) if k == kind])
        if len(mine) < ENOUGH_TEXTS:
            raise ValueError(f"{len(mine)} texts of the kind {kind} are too few to go by")
        unrelated = _unrelated(mine.vectors)
        if unrelated > ALL_ALIKE:
            raise ValueError(f"the model gives all texts of the kind {kind} the same vector")
        start = replace(unknown(mine.vectors.shape[1]), unrelated=unrelated)
        found[kind] = learned(mine, Rule(lenses, {kind: start})).geometries[kind]
    return found


def to_text(
    model: str, texts: str, lenses: Mapping[Kind, Lens], geometries: Mapping[Kind, Geometry]
) -> str:
    """What ``background`` reads: the geometries, and what they were measured on and through.

    ``texts`` tells one collection of texts from another.
    """
    page: dict[str, object] = {
        "made_by": "soulcaster calibrate",
        "model": model,
        "texts": texts,
        "lenses": {kind: seen_through(lenses[kind]) for kind in KINDS},
    }
    page |= {kind: json.loads(geometries[kind].to_text()) for kind in KINDS}
    return json.dumps(page, indent=1) + "\n"


def seen_through(lens: Lens) -> dict[str, object]:
    """What of ``lens`` the figures of a geometry depend on."""
    return {name: value for name, value in asdict(lens).items() if name not in _LATER}


def _unrelated(vectors: Array) -> float:
    """The mean cosine of all pairs of different rows, which are of unit length."""
    count = len(vectors)
    total = vectors.sum(axis=0, dtype=np.float64)
    own = float(np.einsum("ij,ij->", vectors, vectors, dtype=np.float64))
    return (float(total @ total) - own) / (count * (count - 1))
