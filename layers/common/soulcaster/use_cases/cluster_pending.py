"""Put a project's pending feedback into clusters."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial

from soulcaster.edges.cluster_store import (
    Claim,
    ClusterStore,
    Committed,
    Context,
    Decided,
    Named,
    Pending,
)
from soulcaster.edges.gemini import Gemini, GeminiError
from soulcaster.edges.redis import RedisError
from soulcaster.edges.vector import VectorError, Vectors
from soulcaster.rules import ids
from soulcaster.rules.grouping import due
from soulcaster.rules.grouping.affinity import Rule
from soulcaster.rules.grouping.assign import Assignment, Near, assign
from soulcaster.rules.grouping.background import is_calibrated
from soulcaster.rules.grouping.learned import begun, recalled
from soulcaster.rules.grouping.points import Points
from soulcaster.rules.grouping.rebalance import learned
from soulcaster.use_cases.batch import (
    Embedded,
    by_rank,
    embedded,
    nearest,
    neighbourhood,
    packed_vector,
    riding,
)
from soulcaster.use_cases.name_clusters import Changed, name_clusters
from soulcaster.use_cases.referee import Referee

log = logging.getLogger(__name__)

BATCH = 500
# How long the vector index may take to show what was put into it.
INDEX_LAG_MS = 3 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """What a run did for one project, and whether there is ``more`` that it was asked to do.

    ``look``: a second look at the project's clusters is due.
    """

    project: str
    clustered: int
    pending: int
    more: bool
    look: bool


class Unclustered(Exception):  # noqa: N818 - names what happened
    """A project's items could not be clustered now; the cause says why."""

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
    now: Callable[[], int],
    lease_ms: int,
    skip: Collection[str] = (),
    referee_per_day: int = 0,
) -> Batch | None:
    """Cluster up to 500 pending items of ``project`` ('' for any); None when there is no work.

    Before that, the vectors of items that were withdrawn are deleted, 1,000 at a time: one request
    to the index, where there are some. At most 3 requests to Redis, 3 to the index besides that,
    one embedding call for each 100 items and one naming call for each cluster that is new with two
    or more or has doubled; items whose fingerprint is known need neither an embedding nor the
    index. One more call judges doubtful items, up to ``referee_per_day`` of a project in a day.
    Killed anywhere and run again by the same ``owner`` it ends in the same state: vectors carry
    the items' own ids, and everything else is one write at the end. Raises ``RedisError`` before a
    project was chosen, and ``Unclustered`` after that, the lease given back if that can be done.
    """
    claim = clusters.claim(project, owner, lease_ms, BATCH, now(), skip, vectors.space)
    if claim is None:
        return None
    referee = Referee(gemini, referee_per_day, now())
    try:
        done = _cluster(claim, clusters, vectors, gemini, now, referee)
    except (GeminiError, VectorError) as error:
        clusters.release(claim, referee.unasked)
        raise Unclustered(claim.project) from error
    except RedisError as error:
        raise Unclustered(claim.project) from error
    more = (done.pending if project else done.projects) > 0
    return Batch(claim.project, done.clustered, done.pending, more, done.look)


def _cluster(
    claim: Claim,
    clusters: ClusterStore,
    vectors: Vectors,
    gemini: Gemini,
    now: Callable[[], int],
    referee: Referee,
) -> Committed:
    vectors.delete(claim.project, claim.gone)
    if not claim.items:
        moment = now()
        return clusters.commit(claim, [], [], [], moment, moment, forgotten=claim.gone)
    rides = riding(claim.items)
    batch = embedded([item for item in claim.items if item.id not in rides], gemini)
    near = nearest(claim, batch, vectors)
    stand = sorted({item.rides for item in claim.items if item.rides})
    context = clusters.context(
        claim.project, by_rank(near), stand, due.PER_CLUSTER, due.NEIGHBOURHOOD, referee.quota
    )
    referee.granted = context.granted
    new = batch.points(Counter(rides.values()))
    assigned: dict[str, Assignment] = {}
    if len(new):
        known = neighbourhood(claim, batch, context, vectors)
        place = partial(
            assign,
            new,
            known,
            _rule(claim, vectors, new, known),
            lambda founder: ids.cluster_id(claim.project, founder),
        )
        placed = place()
        said = {**context.texts, **{item.id: item.text for item in batch.items}}
        if verdicts := referee.verdicts(placed, said):
            placed = place(verdicts)
        assigned = {one.id: one for one in placed}
    for item in claim.items:
        if item.id in rides:
            assigned[item.id] = _copied(item, rides[item.id], assigned)
    names = _named(claim, assigned, context, gemini)
    # Before the commit: an item in a cluster whose vector is missing would be lost to
    # all later ones, while a vector of a pending item is merely put again.
    vectors.put(claim.project, [item.id for item in batch.items], batch.vectors)
    moment = now()
    return clusters.commit(
        claim,
        _decided(claim, rides, batch, assigned),
        names,
        [
            (item.id, packed_vector(row, vectors.space))
            for item, row in zip(batch.items, batch.vectors, strict=True)
        ],
        moment,
        moment + INDEX_LAG_MS,
        touched=_touched(batch, assigned, near, context),
        look_busy=_due(claim, pending=1),
        look_idle=_due(claim, pending=0),
        unasked=referee.unasked,
        forgotten=claim.gone,
    )


def _rule(claim: Claim, vectors: Vectors, new: Points, known: Points) -> Rule:
    """The project's rule; before the first look at it, that of what is in sight."""
    about = claim.learned
    if not is_calibrated(vectors.model, vectors.dimensions, about.background):
        _uncalibrated(vectors.space)
    start = begun(vectors.model, vectors.dimensions, about.taught, about.background)
    found = recalled(about.geometry, vectors.model, vectors.dimensions)
    return Rule(start.lenses, found) if found else learned(new.beside(known), start)


@cache
def _uncalibrated(space: str) -> None:
    """Say so, once for each process."""
    log.warning("the embedding model is not calibrated", extra={"space": space})


def _copied(item: Pending, on: str, assigned: Mapping[str, Assignment]) -> Assignment:
    """Where a rider goes: to what it rides on."""
    cluster = item.theirs or assigned[on].cluster
    near = Near(on, cluster, 1.0)
    return Assignment(item.id, cluster, False, 1.0, 1.0, (near,), (), "fingerprint")


def why(one: Assignment) -> str:
    """What is kept of a decision, with the item that it is about."""
    kept = asdict(one)
    del kept["id"]
    return json.dumps(kept)


def _decided(
    claim: Claim,
    rides: Mapping[str, str],
    batch: Embedded,
    assigned: Mapping[str, Assignment],
) -> list[Decided]:
    rows = []
    for item, marks, names in zip(batch.items, batch.marks, batch.names, strict=True):
        one = assigned.get(item.id)
        cluster, reason = (one.cluster, why(one)) if one else ("", "")
        rows.append(Decided(item.id, item.text_hash, cluster, reason, marks=marks, names=names))
    for item in claim.items:
        if item.id in rides:
            one = assigned[item.id]
            rows.append(Decided(item.id, item.text_hash, one.cluster, why(one), rides[item.id]))
    return rows


def _named(
    claim: Claim, assigned: Mapping[str, Assignment], context: Context, gemini: Gemini
) -> list[Named]:
    """Names for the clusters that items join, from the new items and their neighbours in it."""
    items = {item.id: item for item in claim.items}
    titles = {point.id: point.title for point in context.points}
    joined: dict[str, list[Assignment]] = {}
    for one in assigned.values():
        joined.setdefault(one.cluster, []).append(one)
    changed = []
    for cluster, members in joined.items():
        was = context.clusters.get(cluster)
        near = [n.id for one in members for n in one.nearest if n.cluster == cluster]
        texts = [items[one.id].text for one in members]
        texts += [titles[i] for i in near if i in titles]
        size = len(members) + (was.size if was else 0)
        title = items[members[0].id].title
        changed.append(Changed(cluster, size, was.named_size if was else 0, title, texts))
    return name_clusters(changed, gemini)


def _touched(
    batch: Embedded,
    assigned: Mapping[str, Assignment],
    near: Mapping[str, Sequence[str]],
    context: Context,
) -> Counter[str]:
    """How often each cluster was looked at closely."""
    touched = Counter(item.cluster for item in batch.items if item.cluster)
    for item, neighbours in near.items():
        places = {context.places.get(i, "") for i in neighbours}
        touched.update({assigned[item].cluster, *places} - {""})
    return touched


def _due(claim: Claim, pending: int) -> bool:
    """Whether a second look is due after this batch, with so much still ``pending``."""
    known, new = claim.learned, sum(not item.cluster for item in claim.items)
    return due.due(known.looked_total, known.since + new, pending, known.burst + new)
