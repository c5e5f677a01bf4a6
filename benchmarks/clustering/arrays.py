"""The vectors and marks of a stream's items, in columns that grow, and an exact search in them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.clustering.rows import Row
from soulcaster.rules.grouping.marks import packed, unpacked

type Array = NDArray[np.float32]


class Columns:
    """A row for each item that is no copy of another."""

    def __init__(self) -> None:
        self._vectors: Array = np.zeros((0, 0), np.float32)
        self._marks: list[str] = []
        self._kept: list[int] = []
        self._row: dict[int, int] = {}
        self._by_id: dict[str, int] = {}

    def add(self, places: Sequence[int], vectors: Array, marks: Sequence[Array]) -> None:
        """Keep the items at ``places``: their vectors [n, d] and marks, as a store does."""
        start, end = len(self._kept), len(self._kept) + len(places)
        if end > len(self._vectors) or not self._vectors.size:
            grown = np.empty((max(2 * end, 1_024), vectors.shape[1]), np.float32)
            if start:
                grown[:start] = self._vectors[:start]
            self._vectors = grown
        self._vectors[start:end] = vectors
        self._marks += [packed(mark) for mark in marks]
        self._row.update({place: start + i for i, place in enumerate(places)})
        self._kept += places

    def kept(self) -> list[int]:
        """All places."""
        return list(self._kept)

    def places(self, rows: Sequence[Row]) -> dict[str, int]:
        """The place of each item kept, by its id."""
        for place in self._kept[len(self._by_id) :]:
            self._by_id[rows[place].id] = place
        return self._by_id

    def read(self, places: Sequence[int]) -> tuple[Array, Array]:
        """Vectors [n, d] and marks [n, 512] of the items at ``places``."""
        index = [self._row[place] for place in places]
        marks = [unpacked(self._marks[i]) for i in index]
        words = np.array(marks, np.float32).reshape(len(index), 512)
        return self._vectors[index], words

    def nearest(self, places: Sequence[int], top: int) -> list[list[int]]:
        """For each of the last items added, at ``places``, the nearest before, best first."""
        before = len(self._kept) - len(places)
        if not before or not places:
            return [[] for _ in places]
        cosines = self._vectors[before : len(self._kept)] @ self._vectors[:before].T
        wanted = min(top, before)
        index = np.argpartition(-cosines, wanted - 1, axis=1)[:, :wanted]
        order = np.argsort(-np.take_along_axis(cosines, index, 1), axis=1, kind="stable")
        ranked = np.take_along_axis(index, order, 1)
        return [[self._kept[j] for j in row] for row in ranked.tolist()]
