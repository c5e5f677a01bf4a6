"""Streams items through the product's own assign and rebalance, with an exact search for its index.

What stores do in production is done here with dictionaries: the rule, its constants, the
neighbourhoods and the moments of a second look are the product's.
"""

import time
from bisect import insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.clustering.arrays import Columns
from benchmarks.clustering.rows import Row
from soulcaster.rules import ids
from soulcaster.rules.grouping import due
from soulcaster.rules.grouping.affinity import Rule
from soulcaster.rules.grouping.assign import assign
from soulcaster.rules.grouping.background import background
from soulcaster.rules.grouping.fingerprint import fingerprint
from soulcaster.rules.grouping.lens import KINDS, Lens, lenses
from soulcaster.rules.grouping.marks import marks
from soulcaster.rules.grouping.points import Points
from soulcaster.rules.grouping.rebalance import learned, rebalance
from soulcaster.rules.text_kind import Kind, kind_of

NEIGHBOURS = 10

type Lenses = dict[Kind, Lens]


@dataclass(frozen=True, slots=True)
class Streamed:
    """What became of the items: a cluster for each, in order of arrival, and what it took."""

    labels: list[str]
    changes: int
    assign_seconds: float
    rebalance_seconds: float
    index_seconds: float


class Stream:
    """A project that items arrive in, a batch at a time."""

    def __init__(
        self, *, rebalance: bool = True, model: str = "", lenses_: Lenses | None = None
    ) -> None:
        self._looks = rebalance
        self._model = model
        self._lenses = lenses_ or lenses()
        self._start: Rule | None = None
        self._rule: Rule | None = None
        self._rows: list[Row] = []
        self._kinds: list[Kind] = []
        self._columns = Columns()
        self._rides: list[int] = []  # the place of the item that an item's text is a copy of
        self._cluster: list[str] = []  # of those that don't ride
        self._weight: Counter[int] = Counter()
        self._prints: dict[str, int] = {}
        self._members: dict[str, list[tuple[int, str, int]]] = {}
        self._touched: Counter[str] = Counter()
        self._since = self._burst = self._looked_at = self._look = self._changes = 0
        self._seconds = {"assign": 0.0, "rebalance": 0.0, "index": 0.0}

    def add(self, items: Sequence[Row], vectors: NDArray[np.float32], pending: int = 1) -> None:
        """Cluster a batch; ``pending`` items wait behind it."""
        began = time.process_time()
        places = self._arrive(items, vectors)
        told = time.process_time()
        near = self._columns.nearest(places, NEIGHBOURS)
        found = time.process_time()
        self._assign(places, near)
        done = time.process_time()
        self._since += len(items)
        self._burst += len(items)
        if self._looks and due.due(self._looked_at, self._since, pending, self._burst):
            self._look_again()
        if not pending:
            self._burst = 0
        self._seconds["rebalance"] += time.process_time() - done
        self._seconds["assign"] += done - found + told - began
        self._seconds["index"] += found - told

    def result(self) -> Streamed:
        """The state after the batches so far."""
        return Streamed(
            [self._cluster[place] for place in self._rides],
            self._changes,
            self._seconds["assign"],
            self._seconds["rebalance"],
            self._seconds["index"],
        )

    def _arrive(self, items: Sequence[Row], vectors: NDArray[np.float32]) -> list[int]:
        """Keep ``items``; returns the places of those that are no copies."""
        start = len(self._rows)
        kinds = [kind_of(row.source, row.channel, row.text) for row in items]
        fresh: dict[int, int] = {}
        for i in sorted(range(len(items)), key=lambda i: items[i].id):
            mark = fingerprint(kinds[i], items[i].title, items[i].text)
            fresh[i] = self._prints.setdefault(mark, start + i) if mark else start + i
            self._weight[fresh[i]] += 1
        self._rows += items
        self._kinds += kinds
        self._rides += [fresh[i] for i in range(len(items))]
        self._cluster += [""] * len(items)
        places = [start + i for i in range(len(items)) if fresh[i] == start + i]
        words = [marks(self._rows[p].title, self._rows[p].text, self._kinds[p]) for p in places]
        self._columns.add(places, vectors[[p - start for p in places]], words)
        return places

    def _assign(self, places: list[int], near: list[list[int]]) -> None:
        if not places:
            return
        chosen = self._neighbourhood(near)
        new, known = self._points(places), self._points(chosen, sampled=True)
        for assigned in assign(
            new, known, self._current(new, known), lambda founder: ids.cluster_id("b", founder)
        ):
            self._join(self._place[assigned.id], assigned.cluster)
        for place, neighbours in zip(places, near, strict=True):
            self._touched.update({self._cluster[i] for i in [place, *neighbours]})

    def _current(self, new: Points, known: Points) -> Rule:
        if self._rule:
            return self._rule
        return learned(new.beside(known), self._begun(new))

    def _begun(self, points: Points) -> Rule:
        if self._start is None:
            known = background(self._model, points.vectors.shape[1])
            self._start = Rule(self._lenses, {kind: known[kind] for kind in KINDS})
        return self._start

    def _neighbourhood(self, near: list[list[int]]) -> list[int]:
        """Members of the clusters of the nearest, of the nearest first, as many as may be."""
        chosen: list[int] = []
        seen: set[str] = set()
        for rank in range(NEIGHBOURS):
            for neighbours in near:
                cluster = self._cluster[neighbours[rank]] if rank < len(neighbours) else ""
                if not cluster or cluster in seen:
                    continue
                members = self._members[cluster]
                if len(chosen) + min(len(members), due.PER_CLUSTER) > due.NEIGHBOURHOOD:
                    continue
                seen.add(cluster)
                chosen += [members[i][2] for i in due.spaced(len(members), due.PER_CLUSTER)]
        return chosen

    def _points(self, places: list[int], *, sampled: bool = False) -> Points:
        vectors, words = self._columns.read(places)
        weights = np.array([self._weight[p] for p in places], np.float32)
        clusters = tuple(self._cluster[p] for p in places)
        if sampled:
            there = Counter(clusters)
            share = [max(1.0, len(self._members[c]) / there[c]) for c in clusters]
            weights *= np.array(share, np.float32)
        return Points(
            tuple(self._rows[p].id for p in places),
            tuple(self._kinds[p] for p in places),
            vectors,
            words,
            clusters,
            weights,
            np.zeros(len(places), bool),
            ((),) * len(places),
        )

    @property
    def _place(self) -> dict[str, int]:
        return self._columns.places(self._rows)

    def _join(self, place: int, cluster: str) -> None:
        row = self._rows[place]
        entry = (row.created_at, row.id, place)
        if self._cluster[place]:
            self._members[self._cluster[place]].remove(entry)
        self._cluster[place] = cluster
        insort(self._members.setdefault(cluster, []), entry)

    def _look_again(self) -> None:
        """The product's second look: at all of a small project, at what was touched of a large."""
        total = len(self._rows)
        self._look += 1
        whole = total <= due.WHOLE
        places = self._columns.kept() if whole else self._local()
        points = self._points(places, sampled=not whole)
        if whole or self._rule is None:
            self._rule = learned(points, self._begun(points))
        outcome = rebalance(
            points,
            self._rule,
            (),
            lambda founder: ids.cluster_id("b", f"{founder}:{self._look}"),
        )
        for move in outcome.moves:
            place = self._place[move.id]
            # Those that came since the last look had no place yet that anybody has seen change.
            self._changes += self._weight[place]
            self._join(place, move.cluster)
        for origin, cluster in outcome.followers.items():
            for _, _, place in list(self._members[origin]):
                self._changes += self._weight[place]
                self._join(place, cluster)
        self._members = {name: members for name, members in self._members.items() if members}
        self._touched.clear()
        self._since, self._looked_at = 0, total

    def _local(self) -> list[int]:
        chosen: list[int] = []
        for cluster, _ in sorted(self._touched.items(), key=lambda one: (-one[1], one[0])):
            members = self._members.get(cluster, [])
            if len(chosen) + min(len(members), due.PER_CLUSTER) > due.LOCAL_POINTS:
                continue
            chosen += [members[i][2] for i in due.spaced(len(members), due.PER_CLUSTER)]
        return chosen


def stream(
    items: Sequence[Row],
    vectors: NDArray[np.float32],
    *,
    batch: int,
    rebalance: bool = True,
    model: str = "",
    lenses_: Lenses | None = None,
) -> Streamed:
    """Stream ``items``, in arriving order, a ``batch`` at a time.

    ``model``: whose vectors they are, as production names it; '' for one that nothing is
    known of.
    """
    project = Stream(rebalance=rebalance, model=model, lenses_=lenses_)
    for start in range(0, len(items), batch):
        end = min(start + batch, len(items))
        project.add(items[start:end], vectors[start:end], pending=len(items) - end)
    return project.result()
