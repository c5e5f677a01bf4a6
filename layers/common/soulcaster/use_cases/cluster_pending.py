"""Put a project's pending feedback into clusters."""

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soulcaster.edges.cluster_store import Claim, ClusterStore, Context
from soulcaster.edges.gemini import Gemini, GeminiError
from soulcaster.edges.redis import RedisError
from soulcaster.edges.vector import VectorError, Vectors
from soulcaster.rules import ids
from soulcaster.rules.cluster import Assignment, Item, Kind, Member, assign, kind_of
from soulcaster.use_cases.name_clusters import name_clusters

BATCH = 500
NEIGHBOURS = 10
# How long the vector index may take to show what was put into it.
INDEX_LAG_MS = 3 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """What a run did for one project, and whether there is ``more`` that it was asked to do."""

    project: str
    clustered: int
    pending: int
    more: bool


class Unclustered(Exception):  # noqa: N818 - names what happened
    """A project's batch could not be clustered now; the cause says why."""

    def __init__(self, project: str) -> None:
        super().__init__(f"{project} was not clustered")
        self.project = project


def cluster_pending(
    project: str,
    owner: str,
    *,
    clusters: ClusterStore,
    vectors: Vectors,
    gemini: Gemini,
    thresholds: Mapping[Kind, float],
    now: Callable[[], int],
    lease_ms: int,
    skip: Collection[str] = (),
) -> Batch | None:
    """Cluster up to 500 pending items of ``project`` ('' for any); None when there are none.

    At most 3 requests to Redis, 3 to the index, one embedding call for each 100 items and
    one naming call for each cluster that is new with two or more or has doubled. Killed
    anywhere and run again by the same ``owner`` it ends in the same state: vectors carry the
    items' own ids, and everything else is one write at the end. Raises ``RedisError`` before a
    project was chosen, and ``Unclustered`` after that, the lease given back if that can be done.
    """
    claim = clusters.claim(project, owner, lease_ms, BATCH, now(), skip)
    if claim is None:
        return None
    try:
        clustered, pending, projects = _cluster(claim, clusters, vectors, gemini, thresholds, now)
    except (GeminiError, VectorError) as error:
        clusters.release(claim)
        raise Unclustered(claim.project) from error
    except RedisError as error:
        raise Unclustered(claim.project) from error
    more = (pending if project else projects) > 0
    return Batch(claim.project, clustered, pending, more)


def _cluster(
    claim: Claim,
    clusters: ClusterStore,
    vectors: Vectors,
    gemini: Gemini,
    thresholds: Mapping[Kind, float],
    now: Callable[[], int],
) -> tuple[int, int, int]:
    """What ``ClusterStore.commit`` returns."""
    embedded = gemini.embed([item.text for item in claim.items])
    fresh = [i for i, item in enumerate(claim.items) if not item.cluster]
    neighbours = _neighbours(claim, embedded, fresh, vectors)
    context = clusters.context(claim.project, sorted({i for n in neighbours for i, _ in n}))
    assigned = _assign(claim, embedded, fresh, neighbours, context, thresholds)
    names = name_clusters(claim, assigned, context, gemini)
    # Before the commit: an item in a cluster whose vector is missing would be lost to
    # all later ones, while a vector of a pending item is merely put again.
    vectors.put(claim.project, [item.id for item in claim.items], embedded)
    recents = [(item.id, _pack(row)) for item, row in zip(claim.items, embedded, strict=True)]
    moment = now()
    return clusters.commit(claim, assigned, names, recents, moment, moment + INDEX_LAG_MS)


def _neighbours(
    claim: Claim, embedded: NDArray[np.float32], fresh: Sequence[int], vectors: Vectors
) -> list[list[tuple[str, float]]]:
    """For each fresh item the nearest of the index and of what the index may not show yet."""
    if not fresh:
        return []
    rows = embedded[fresh]
    own = {item.id for item in claim.items}
    found = vectors.nearest(claim.project, rows, NEIGHBOURS)
    if any(i in own for hits in found for i, _ in hits):
        # An earlier attempt at this batch was cut off after it had put its vectors: they must
        # not crowd out what an undisturbed run would have seen.
        found = vectors.nearest(claim.project, rows, NEIGHBOURS + len(own))
    recents = [(i, _unpack(text)) for i, text in claim.recents if text and i not in own]
    recents += [(m.id, row) for m, row in zip(claim.items, embedded, strict=True) if m.cluster]
    recents = [(i, vector) for i, vector in recents if vector.shape == rows[0].shape]
    cosines = rows @ np.stack([vector for _, vector in recents]).T if recents else None
    nearest = []
    for n, indexed in enumerate(found):
        hits = {i: cosine for i, cosine in indexed if i not in own}
        if cosines is not None:
            for j in np.argsort(-cosines[n], kind="stable")[:NEIGHBOURS]:
                hits.setdefault(recents[j][0], float(cosines[n, j]))
        nearest.append(sorted(hits.items(), key=lambda hit: (-hit[1], hit[0]))[:NEIGHBOURS])
    return nearest


def _assign(
    claim: Claim,
    embedded: NDArray[np.float32],
    fresh: Sequence[int],
    neighbours: Sequence[Sequence[tuple[str, float]]],
    context: Context,
    thresholds: Mapping[Kind, float],
) -> list[Assignment]:
    # Oldest first, whatever order they arrived in.
    order = sorted(
        range(len(fresh)),
        key=lambda n: (claim.items[fresh[n]].created_at, claim.items[fresh[n]].id),
    )
    chosen = [claim.items[fresh[n]] for n in order]
    return assign(
        [Item(item.id, kind_of(item.source, item.text)) for item in chosen],
        embedded[[fresh[n] for n in order]],
        [
            [
                Member(i, context.members[i][0], round(cosine, 4))
                for i, cosine in neighbours[n]
                if i in context.members
            ]
            for n in order
        ],
        thresholds,
        lambda founder: ids.cluster_id(claim.project, founder),
    )


def _pack(row: NDArray[np.float32]) -> str:
    # Half precision: good to three digits, which is more than any threshold has.
    return base64.b64encode(row.astype("<f2").tobytes()).decode()


def _unpack(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), dtype="<f2").astype(np.float32)
