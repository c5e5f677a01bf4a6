"""Measure what an embedding model makes of texts that have nothing to do with one another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from soulcaster.rules.grouping.calibration import calibrated
from soulcaster.rules.grouping.geometry import Geometry
from soulcaster.rules.grouping.lens import lenses
from soulcaster.rules.grouping.marks import marks, packed, unpacked
from soulcaster.rules.grouping.points import Array, Points
from soulcaster.rules.text import embedding_text
from soulcaster.rules.text_kind import Kind


@dataclass(frozen=True, slots=True)
class Sample:
    """A text to calibrate with, as somebody would send it."""

    kind: Kind
    title: str
    body: str

    @property
    def text(self) -> str:
        """What is embedded of it."""
        return embedding_text(self.title, self.body)


def calibrate(
    samples: Sequence[Sample], embed: Callable[[Sequence[str]], Array]
) -> dict[Kind, Geometry]:
    """The geometry of each kind of text in the space of ``embed``, through the shipped lenses.

    ``embed`` gives a vector of length 1 for each text. Raises what it does, and ``ValueError``
    when a kind has too few samples.
    """
    texts = [sample.text for sample in samples]
    count = len(samples)
    words = [
        # As they come back from the store.
        unpacked(packed(marks(sample.title, text, sample.kind)))
        for sample, text in zip(samples, texts, strict=True)
    ]
    points = Points(
        ids=tuple(f"{i:06}" for i in range(count)),
        kinds=tuple(sample.kind for sample in samples),
        vectors=embed(texts),
        marks=np.array(words, np.float32),
        clusters=("",) * count,
        weights=np.ones(count, np.float32),
        held=np.zeros(count, bool),
        names=((),) * count,
    )
    return calibrated(points, lenses())
