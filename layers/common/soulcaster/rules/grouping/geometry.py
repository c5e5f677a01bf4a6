"""Where a project's texts lie in an embedding model's space, learned without labels.

Embedding models put all texts into a narrow cone: unrelated ones have a cosine well above zero,
how far above differs from model to model and from project to project. Taking away the mean and
the strongest common directions ("all but the top": Mu and Viswanath, 2018) leaves what tells
the project's own texts apart, and makes one number mean about the same in every model.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from soulcaster.rules.grouping.marks import DIMENSIONS
from soulcaster.rules.grouping.points import Array

DIRECTIONS = 3
# The strongest directions of fewer texts are those of single texts, not what all have in common.
ENOUGH_FOR_DIRECTIONS = 200
# How many texts the model's background counts for beside the project's own.
BACKGROUND_TEXTS = 20

_ARRAYS = ("mean", "directions", "marks_mean")
_FIGURES = ("unrelated", "spread", "crowded", "repeated")


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """One kind of text in one project, or in a model's background.

    ``count``: texts seen. ``mean``: [d], of unit vectors. ``directions``: [0 or 3, d], the
    strongest after centring. ``marks_mean``: [512]. ``unrelated``: the mean cosine of the
    model's background texts. ``spread``: standard deviation of similarities between
    texts. ``crowded``: their mean similarity to the neighbours that make a crowd. ``repeated``:
    the upper quartile of the similarity to the nearest text.
    """

    count: int
    mean: Array
    directions: Array
    marks_mean: Array
    unrelated: float
    spread: float
    crowded: float
    repeated: float

    def to_text(self) -> str:
        """The geometry as JSON, arrays in half precision."""
        return json.dumps({name: _packed(value) for name, value in asdict(self).items()})

    @staticmethod
    def from_text(text: str) -> "Geometry":
        """The geometry in ``text``; raises ``ValueError`` when it is none."""
        try:
            stored: dict[str, Any] = json.loads(text)
            mean, directions, marks = (_array(stored[name]) for name in _ARRAYS)
            unrelated, spread, crowded, repeated = (float(stored[name]) for name in _FIGURES)
            count = int(stored["count"])
        except (LookupError, TypeError, OverflowError, RecursionError) as error:
            raise ValueError("not a geometry") from error
        fits = directions.shape == (*directions.shape[:1], *mean.shape)
        if not (fits and mean.ndim == 1 and marks.shape == (DIMENSIONS,)):
            raise ValueError("not a geometry")
        if not np.isfinite([unrelated, spread, crowded, repeated]).all():
            raise ValueError("not a geometry")
        return Geometry(count, mean, directions, marks, unrelated, spread, crowded, repeated)


def centre(vectors: Array, marks: Array, background: Geometry) -> Geometry:
    """``background`` with its place and directions moved to where ``vectors`` [n, d] are."""
    count = len(vectors)
    weight = count + BACKGROUND_TEXTS
    mean = (vectors.sum(axis=0) + BACKGROUND_TEXTS * background.mean) / weight
    marks_mean = (marks.sum(axis=0) + BACKGROUND_TEXTS * background.marks_mean) / weight
    directions = np.zeros((0, vectors.shape[1]), np.float32)
    if count >= ENOUGH_FOR_DIRECTIONS:
        centred = vectors - mean
        _, axes = np.linalg.eigh(centred.T @ centred)
        directions = axes[:, ::-1][:, :DIRECTIONS].T.astype(np.float32)
    return replace(
        background,
        count=count,
        mean=mean.astype(np.float32),
        directions=directions,
        marks_mean=marks_mean.astype(np.float32),
    )


def unknown(dimensions: int) -> Geometry:
    """The background of a model that nothing is known of."""
    return Geometry(
        0,
        np.zeros(dimensions, np.float32),
        np.zeros((0, dimensions), np.float32),
        np.zeros(DIMENSIONS, np.float32),
        unrelated=0.0,
        spread=0.08,
        crowded=0.15,
        repeated=0.4,
    )


def unit(rows: Array) -> Array:
    """``rows`` with length 1; a row of zeros stays one."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True).astype(np.float32)
    result: Array = (rows / np.maximum(norms, np.float32(1e-9))).astype(np.float32)
    return result


def _packed(value: object) -> object:
    if isinstance(value, np.ndarray):
        data = b64encode(value.astype(np.float16).tobytes()).decode()
        return {"shape": list(value.shape), "data": data}
    return value


def _array(stored: dict[str, Any]) -> Array:
    flat = np.frombuffer(b64decode(stored["data"]), np.float16).astype(np.float32)
    if not np.isfinite(flat).all():
        raise ValueError("not a geometry")
    found: Array = flat.reshape(stored["shape"])
    return found
