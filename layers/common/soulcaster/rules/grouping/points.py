"""The items of a neighbourhood, as arrays side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soulcaster.rules.text_kind import Kind

type Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Points:
    """n items. ``vectors``: [n, d], unit length; ``marks``: [n, 512].

    ``clusters``: where each is, '' for a new one. ``weights``: [n], how many items it stands for.
    ``held``: [n], what a person's correction keeps where it is. ``names``: the names of code
    that each mentions.
    """

    ids: tuple[str, ...]
    kinds: tuple[Kind, ...]
    vectors: Array
    marks: Array
    clusters: tuple[str, ...]
    weights: Array
    held: NDArray[np.bool_]
    names: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        lengths = {len(self.ids), len(self.kinds), len(self.vectors), len(self.marks)}
        lengths |= {len(self.clusters), len(self.weights), len(self.held), len(self.names)}
        if len(lengths) > 1:
            raise ValueError("the arrays of a neighbourhood must be of one length")

    def __len__(self) -> int:
        return len(self.ids)

    def chosen(self, order: Sequence[int] | NDArray[np.intp]) -> "Points":
        """The items at the places ``order``, in that order."""
        index = np.asarray(order, np.intp)
        return Points(
            tuple(self.ids[i] for i in index),
            tuple(self.kinds[i] for i in index),
            self.vectors[index],
            self.marks[index],
            tuple(self.clusters[i] for i in index),
            self.weights[index],
            self.held[index],
            tuple(self.names[i] for i in index),
        )

    def sorted(self) -> "Points":
        """The same items in the order of their ids, so that no order of arrival decides."""
        return self.chosen(sorted(range(len(self)), key=self.ids.__getitem__))

    def beside(self, other: "Points") -> "Points":
        """These and ``other``'s."""
        return Points(
            self.ids + other.ids,
            self.kinds + other.kinds,
            np.vstack([self.vectors, other.vectors]),
            np.vstack([self.marks, other.marks]),
            self.clusters + other.clusters,
            np.concatenate([self.weights, other.weights]),
            np.concatenate([self.held, other.held]),
            self.names + other.names,
        )
