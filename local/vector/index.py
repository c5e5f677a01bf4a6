"""Exact cosine search over one namespace, with the delay between an upsert and its effect."""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from local.vector.filter import Predicate
from local.vector.store import Floats, Record


@dataclass
class Lag:
    """How long an upsert stays invisible to queries: ``seconds``, and as long as ``held``."""

    seconds: float = 0.0
    held: bool = False


class Index:
    """What queries see: each vector as it was last indexed, deletions at once."""

    def __init__(self, dimension: int, lag: Lag, indexed: Iterable[Record]) -> None:
        self._lag = lag
        self._pending: deque[tuple[float, Record]] = deque()
        self._unit = np.empty((0, dimension), dtype=np.float32)  # rows beyond the records: spare
        self._records: list[Record] = []
        self._rows: dict[str, int] = {}
        for record in indexed:
            self._add(record)

    def put(self, records: Iterable[Record]) -> None:
        now = time.monotonic()
        self._pending.extend((now, record) for record in records)

    def remove(self, ids: Iterable[str]) -> None:
        gone = set(ids)
        self._pending = deque(item for item in self._pending if item[1].id not in gone)
        for identity in gone & self._rows.keys():
            row = self._rows.pop(identity)
            last = self._records.pop()
            if last.id != identity:  # the last row fills the gap
                self._records[row], self._rows[last.id] = last, row
                self._unit[row] = self._unit[len(self._records)]

    def settle(self) -> None:
        """Let queries see every upsert whose lag is over."""
        due = time.monotonic() - self._lag.seconds
        while self._pending and not self._lag.held and self._pending[0][0] <= due:
            self._add(self._pending.popleft()[1])

    def counts(self) -> tuple[int, int]:
        """Vectors that queries see, and upserts that they do not see yet."""
        self.settle()
        return len(self._records), len(self._pending)

    def query(
        self, vectors: Floats, tops: list[int], predicate: Predicate | None
    ) -> list[list[tuple[Record, float]]]:
        """For each row of ``vectors`` its ``tops[row]`` nearest that pass ``predicate``, best
        first, with scores (1 + cos) / 2. All of it is one matrix product.
        """
        self.settle()
        rows = np.arange(len(self._records))
        if predicate is not None:
            rows = np.flatnonzero([predicate(record.metadata or {}) for record in self._records])
        unit = self._unit[: len(self._records)] if predicate is None else self._unit[rows]
        scores = np.clip((1 + _normalised(vectors) @ unit.T) / 2, 0, 1)
        return [
            [(self._records[rows[n]], float(row[n])) for n in _best(row, top)]
            for row, top in zip(scores, tops, strict=True)
        ]

    def _add(self, record: Record) -> None:
        row = self._rows.setdefault(record.id, len(self._records))
        if row == len(self._records):
            self._records.append(record)
            if row == len(self._unit):
                spare = np.empty((max(row, 64), self._unit.shape[1]), dtype=np.float32)
                self._unit = np.concatenate([self._unit, spare])
        self._records[row] = record
        self._unit[row] = _normalised(record.vector)


def _normalised(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return unit


def _best(scores: Floats, top: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Positions of the ``top`` highest scores, best first; among equals the earlier first."""
    candidates = np.arange(len(scores))
    if top < len(scores):
        candidates = np.sort(np.argpartition(-scores, top)[:top])
    return candidates[np.argsort(-scores[candidates], kind="stable")]
