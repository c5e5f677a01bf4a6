"""What a batch of pending items looks like to the grouping rule, and what is around it."""

import base64
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soulcaster.edges.cluster_store import Claim, Cluster, Context, Pending, Point
from soulcaster.edges.gemini import Gemini
from soulcaster.edges.vector import Vectors
from soulcaster.rules.grouping.marks import DIMENSIONS, identifiers, marks, packed, unpacked
from soulcaster.rules.grouping.points import Array, Points

log = logging.getLogger(__name__)

NEIGHBOURS = 10


@dataclass(frozen=True, slots=True)
class Embedded:
    """Items as they are compared: ``vectors`` [n, d], ``marks`` packed as they are stored."""

    items: tuple[Pending, ...]
    vectors: Array
    marks: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]

    @property
    def fresh(self) -> list[int]:
        """The places of those that are in no cluster yet."""
        return [i for i, item in enumerate(self.items) if not item.cluster]

    @property
    def edited(self) -> dict[str, int]:
        """The places by id of those that are in a cluster and say something else now."""
        return {item.id: i for i, item in enumerate(self.items) if item.cluster}

    def points(self, riders: Counter[str]) -> Points:
        """The fresh ones; ``riders``: how many of the batch ride on each."""
        fresh = self.fresh
        items = [self.items[i] for i in fresh]
        return Points(
            tuple(item.id for item in items),
            tuple(item.kind for item in items),
            self.vectors[fresh],
            _stacked([self.marks[i] for i in fresh]),
            ("",) * len(fresh),
            np.array([1 + riders[item.id] for item in items], np.float32),
            np.zeros(len(fresh), bool),
            tuple(self.names[i] for i in fresh),
        )


def riding(items: Sequence[Pending]) -> dict[str, str]:
    """What needs no embedding: new item → the item of the same fingerprint that it rides on.

    That is one that stood for the fingerprint before, or of the batch the first by id.
    """
    rides: dict[str, str] = {}
    first: dict[str, str] = {}
    for item in sorted(items, key=lambda item: item.id):
        if item.cluster:
            continue
        on = item.rides or (first.setdefault(item.fingerprint, item.id) if item.fingerprint else "")
        if on and on != item.id:
            rides[item.id] = on
    return rides


def embedded(items: Sequence[Pending], gemini: Gemini) -> Embedded:
    """``items`` with their vectors and marks. Raises ``GeminiError``."""
    return Embedded(
        tuple(items),
        gemini.embed([item.text for item in items]),
        tuple(packed(marks(item.title, item.text, item.kind)) for item in items),
        tuple(identifiers(item.text) for item in items),
    )


def nearest(claim: Claim, batch: Embedded, vectors: Vectors) -> dict[str, list[str]]:
    """For each fresh item the nearest of the index and of what the index may not show yet.

    Nearest first. One request to the index, none without fresh items. Raises ``VectorError``.
    """
    fresh, edited = batch.fresh, batch.edited
    if not fresh:
        return {}
    rows = batch.vectors[fresh]
    own = {item.id for item in claim.items}
    # The index knows items of the batch by what they said before, or from an attempt that was cut
    # off: they must not crowd out what an undisturbed run would have seen.
    hidden = len(edited) + (len(fresh) if claim.tried else 0)
    found = vectors.nearest(claim.project, rows, NEIGHBOURS + hidden)
    late = {i: v for i, v in recent(claim.recents, vectors.space).items() if i not in own}
    late |= {i: batch.vectors[place] for i, place in edited.items()}
    names = list(late)
    cosines = rows @ np.stack([late[i] for i in names]).T if late else np.zeros((len(rows), 0))
    near = {}
    for place, indexed, row in zip(fresh, found, cosines, strict=True):
        hits = {i: cosine for i, cosine in indexed if i not in own}
        hits.update(zip(names, row.tolist(), strict=True))
        best = sorted(hits.items(), key=lambda hit: (-hit[1], hit[0]))[:NEIGHBOURS]
        near[batch.items[place].id] = [i for i, _ in best]
    return near


def by_rank(near: Mapping[str, Sequence[str]]) -> list[str]:
    """All neighbours once: first those that are some item's nearest."""
    ranked = (
        near[item][rank]
        for rank in range(NEIGHBOURS)
        for item in sorted(near)
        if rank < len(near[item])
    )
    return list(dict.fromkeys(ranked))


def neighbourhood(claim: Claim, batch: Embedded, context: Context, vectors: Vectors) -> Points:
    """The points of ``context`` as they are now, edited ones of the batch by their new text.

    One request to the index, none where there is nothing to ask for. Raises ``VectorError``.
    """
    edited = batch.edited
    points = []
    for point in context.points:
        place = edited.get(point.id)
        if place is not None:
            item = batch.items[place]
            point = Point(  # noqa: PLW2901
                *(point.id, point.cluster, item.kind, batch.marks[place], batch.names[place]),
                *(point.held, point.riders, point.title),
            )
        points.append(point)
    known = {i: batch.vectors[place] for i, place in edited.items()}
    return seen(claim.project, points, context.clusters, known, claim.recents, vectors)


def seen(
    project: str,
    points: Sequence[Point],
    clusters: Mapping[str, Cluster],
    known: Mapping[str, Array],
    recents: Sequence[tuple[str, str]],
    vectors: Vectors,
) -> Points:
    """``points`` with their vectors: those in ``known``, those of ``recents``, or the index's.

    What has no vector is left out, and said so in the log. Where a cluster's points stand for
    more of them, each weighs more. One request for 1,000 vectors. Raises ``VectorError``.
    """
    wanted = {point.id for point in points}
    rows = {i: v for i, v in recent(recents, vectors.space).items() if i in wanted}
    rows |= {i: v for i, v in known.items() if i in wanted}
    rows |= vectors.fetch(project, sorted(wanted - rows.keys()))
    there = [point for point in points if point.id in rows and point.marks]
    if len(there) < len(points):
        missing = len(points) - len(there)
        log.warning("without vectors", extra={"project": project, "items": missing})
    count = Counter(point.cluster for point in there)
    share = [max(1.0, clusters[p.cluster].points / count[p.cluster]) for p in there]
    stacked = np.stack([rows[p.id] for p in there]) if there else None
    return Points(
        tuple(p.id for p in there),
        tuple(p.kind for p in there),
        np.zeros((0, vectors.dimensions), np.float32) if stacked is None else stacked,
        _stacked([p.marks for p in there]),
        tuple(p.cluster for p in there),
        np.array([1 + p.riders for p in there], np.float32) * np.array(share, np.float32),
        np.array([p.held for p in there], bool),
        tuple(p.names for p in there),
    )


def packed_vector(row: Array, space: str) -> str:
    """A vector of ``space`` for ``recent``, in half precision: good to three digits."""
    return f"{space} {base64.b64encode(row.astype('<f2').tobytes()).decode()}"


def recent(recents: Sequence[tuple[str, str]], space: str) -> dict[str, NDArray[np.float32]]:
    """Those of ``recents`` that are vectors of ``space``."""
    found = {}
    for identifier, text in recents:
        of, _, vector = text.partition(" ")
        if of == space:
            row = np.frombuffer(base64.b64decode(vector), dtype="<f2")
            found[identifier] = row.astype(np.float32)
    return found


def _stacked(texts: Sequence[str]) -> Array:
    rows = [unpacked(text) for text in texts]
    return np.array(rows, np.float32).reshape(len(rows), DIMENSIONS)
