"""Put a project's pending feedback into clusters."""

import base64
import logging
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soulcaster.edges.cluster_store import Claim, ClusterStore, Context, Named, Pending
from soulcaster.edges.gemini import Gemini, GeminiError
from soulcaster.edges.vector import VectorError, Vectors
from soulcaster.rules import ids
from soulcaster.rules.cluster import Assignment, Item, Member, assign, kind_of

log = logging.getLogger(__name__)

BATCH = 500
NEIGHBOURS = 10
NAMED_FROM = 2  # one item is named by its own title
TEXTS_FOR_A_NAME = 20
NAMES_AT_ONCE = 4
# How long the vector index may take to show what was put into it.
INDEX_LAG_MS = 3 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """What a run did for one project, and whether there is ``more`` that it was asked to do."""

    project: str
    clustered: int
    pending: int
    more: bool


def cluster_pending(
    project: str,
    owner: str,
    *,
    clusters: ClusterStore,
    vectors: Vectors,
    gemini: Gemini,
    now: Callable[[], int],
    lease_ms: int,
    skip: Collection[str] = (),
) -> Batch | None:
    """Cluster up to 500 pending items of ``project`` ('' for any); None when there are none.

    At most 3 requests to Redis, 3 to the index, one embedding call for each 100 items and
    one naming call for each cluster that is new with two or more or has doubled. Killed
    anywhere and run again by the same ``owner`` it ends in the same state: vectors carry the
    items' own ids, and everything else is one write at the end. Raises ``GeminiError``,
    ``VectorError`` and ``RedisError``, the lease given back where that can be done.
    """
    claim = clusters.claim(project, owner, lease_ms, BATCH, now(), skip)
    if claim is None:
        return None
    try:
        embedded = gemini.embed([item.feedback.text for item in claim.items])
        fresh = [i for i, item in enumerate(claim.items) if not item.cluster]
        neighbours = _neighbours(claim, embedded, fresh, vectors)
        context = clusters.context(claim.project, sorted({i for n in neighbours for i, _ in n}))
        assigned = _assign(claim, embedded, fresh, neighbours, context)
        names = _names(claim, assigned, context, gemini)
        # Before the commit: an item in a cluster whose vector is missing would be lost to
        # all later ones, while a vector of a pending item is merely put again.
        vectors.put(claim.project, [item.id for item in claim.items], embedded)
    except (GeminiError, VectorError):
        clusters.release(claim)
        raise
    recents = [(item.id, _pack(row)) for item, row in zip(claim.items, embedded, strict=True)]
    moment = now()
    clustered, pending = clusters.commit(
        claim, assigned, names, recents, moment, moment + INDEX_LAG_MS
    )
    return Batch(claim.project, clustered, pending, more=bool(pending or claim.others))


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
) -> list[Assignment]:
    # Oldest first, whatever order they arrived in.
    order = sorted(
        range(len(fresh)),
        key=lambda n: (claim.items[fresh[n]].feedback.created_at, claim.items[fresh[n]].id),
    )
    chosen = [claim.items[fresh[n]] for n in order]
    return assign(
        [Item(item.id, kind_of(item.feedback.source, item.feedback.text)) for item in chosen],
        embedded[[fresh[n] for n in order]],
        [
            [
                Member(i, context.members[i][0], round(cosine, 4))
                for i, cosine in neighbours[n]
                if i in context.members
            ]
            for n in order
        ],
        lambda founder: ids.cluster_id(claim.project, founder),
    )


def _names(
    claim: Claim, assigned: Sequence[Assignment], context: Context, gemini: Gemini
) -> list[Named]:
    """Names for the clusters that are due: new, or twice as large as when last named."""
    items = {item.id: item for item in claim.items}
    joined: dict[str, list[Assignment]] = {}
    for one in assigned:
        joined.setdefault(one.cluster, []).append(one)
    due: list[tuple[str, int, list[str]]] = []
    names: list[Named] = []
    for cluster, members in joined.items():
        was, named_size = context.clusters.get(cluster, (0, 0))
        size = was + len(members)
        if size < NAMED_FROM:
            names.append(_by_title(cluster, items[members[0].id], size))
        elif size >= max(NAMED_FROM, 2 * named_size):
            due.append((cluster, size, _texts(members, items, context)))
    with ThreadPoolExecutor(NAMES_AT_ONCE) as pool:
        made = pool.map(lambda entry: _ask(entry[2], gemini), due)
    for (cluster, size, _), name in zip(due, made, strict=True):
        if name is not None:
            names.append(Named(cluster, *name, size, "model"))
        elif cluster not in context.clusters:
            # A later run names it: its named size stays below two.
            names.append(_by_title(cluster, items[joined[cluster][0].id], 1))
    return names


def _by_title(cluster: str, item: Pending, size: int) -> Named:
    return Named(cluster, item.feedback.title[:80], "", size, "title")


def _ask(texts: Sequence[str], gemini: Gemini) -> tuple[str, str] | None:
    try:
        made = gemini.name(texts)
    except GeminiError:
        # A cluster without a good name is better than feedback without a cluster.
        log.exception("not named")
        return None
    return made.name, made.summary


def _texts(members: Sequence[Assignment], items: dict[str, Pending], context: Context) -> list[str]:
    """What a cluster's name is made from: its new items, then their neighbours in it."""
    texts = {member.id: items[member.id].feedback.text for member in members}
    for member in members:
        for near in member.nearest:
            if near.id not in texts and near.id in context.members:
                texts[near.id] = context.members[near.id][1]
    return list(texts.values())[:TEXTS_FOR_A_NAME]


def _pack(row: NDArray[np.float32]) -> str:
    # Half precision: good to three digits, which is more than any threshold has.
    return base64.b64encode(row.astype("<f2").tobytes()).decode()


def _unpack(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), dtype="<f2").astype(np.float32)
