"""Look at a project's clusters a second time, all together."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from soulcaster.edges.cluster_store import Cluster, Named, Point
from soulcaster.edges.gemini import Gemini
from soulcaster.edges.look_store import Followed, LookClaim, LookStore, Moved, Page, Rider
from soulcaster.edges.redis import RedisError
from soulcaster.edges.vector import VectorError, Vectors
from soulcaster.rules import ids
from soulcaster.rules.grouping import due
from soulcaster.rules.grouping.affinity import Rule
from soulcaster.rules.grouping.assign import Assignment, Near
from soulcaster.rules.grouping.learned import begun, recalled, told
from soulcaster.rules.grouping.points import Points
from soulcaster.rules.grouping.rebalance import Rebalanced, learned, rebalance
from soulcaster.use_cases.batch import seen
from soulcaster.use_cases.cluster_pending import Unclustered, why
from soulcaster.use_cases.name_clusters import Changed, name_clusters

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What a look came to: how many points it took in, and how many items were moved."""

    project: str
    points: int
    moved: int


@dataclass(slots=True)
class _Sight:
    """All that was read of a project."""

    points: list[Point] = field(default_factory=list)
    riders: list[Rider] = field(default_factory=list)
    clusters: dict[str, Cluster] = field(default_factory=dict)


def look_again(
    project: str,
    owner: str,
    *,
    looks: LookStore,
    vectors: Vectors,
    gemini: Gemini,
    now: Callable[[], int],
    lease_ms: int,
    asked: bool = False,
    skip: Collection[str] = (),
) -> Look | None:
    """Group a project's items anew; None when no look at ``project`` ('' for any) is due or may be.

    All of a project of up to 4,000 items, of a larger one the clusters that batches came near to.
    For n items ⌈n/1000⌉ + 2 requests to Redis, ⌈n/1000⌉ to the index, and one naming call for
    each cluster that is new with two or more, or has doubled or halved. ``asked``: whether it is
    due or not; it is done by somebody later if it can't be done now. All of it is one write at the
    end, of what follows from the state: killed anywhere and run again it ends in the same state.
    Raises ``RedisError`` before a project was chosen, and ``Unclustered`` after that.
    """
    claim = looks.claim(
        project, owner, lease_ms, now(), asked=asked, skip=skip, space=vectors.space
    )
    if claim is None:
        return None
    try:
        return _look(claim, looks, vectors, gemini, now)
    except VectorError as error:
        looks.release(claim)
        raise Unclustered(claim.project) from error
    except RedisError as error:
        raise Unclustered(claim.project) from error


def _look(
    claim: LookClaim,
    looks: LookStore,
    vectors: Vectors,
    gemini: Gemini,
    now: Callable[[], int],
) -> Look:
    whole = claim.total <= due.WHOLE
    sight = _read(_pages(claim, looks) if whole else _touched(claim, looks))
    points = seen(claim.project, sight.points, sight.clusters, {}, claim.recents, vectors)
    rule, geometry = _rule(claim, points, vectors, whole)
    found = rebalance(
        points,
        rule,
        {cluster for cluster, is_ in sight.clusters.items() if not is_.free},
        # A founder may have founded another cluster before, which has others in it now.
        lambda founder: ids.cluster_id(claim.project, f"{founder}:{claim.learned.looks + 1}"),
    )
    moves = [*_moves(found), *_stragglers(sight, found)]
    names = _named(sight, found, moves, gemini)
    followers = [Followed(i, to, _followed(to)) for i, to in sorted(found.followers.items())]
    moved = looks.commit(claim, moves, followers, names, geometry, now())
    return Look(claim.project, len(points), moved)


def _pages(claim: LookClaim, looks: LookStore) -> Iterator[Page]:
    position = ""
    while True:
        page = looks.page(claim.project, position)
        yield page
        position = page.next
        if not position:
            return


def _touched(claim: LookClaim, looks: LookStore) -> Iterator[Page]:
    position, room = "", due.LOCAL_POINTS
    while True:
        page = looks.touched(claim.project, position, due.PER_CLUSTER, room)
        yield page
        position, room = page.next, room - len(page.points)
        if not position:
            return


def _read(pages: Iterator[Page]) -> _Sight:
    sight = _Sight()
    for page in pages:
        sight.points += page.points
        sight.riders += page.riders
        sight.clusters |= page.clusters
    return sight


def _rule(claim: LookClaim, points: Points, vectors: Vectors, whole: bool) -> tuple[Rule, str]:
    """The rule, and what is to be kept of it: '' when that has not changed."""
    about = claim.learned
    start = begun(vectors.model, vectors.dimensions, about.taught, about.background)
    found = recalled(about.geometry, vectors.model, vectors.dimensions)
    if not len(points) or (found and not whole):
        return (Rule(start.lenses, found) if found else start), ""
    rule = learned(points, start)
    return rule, told(rule, vectors.model, vectors.dimensions)


def _moves(found: Rebalanced) -> Iterator[Moved]:
    for move in found.moves:
        alone = not move.nearest
        reason = Assignment(
            *(move.id, move.cluster, False, move.score, move.bar, move.nearest, move.shared),
            "alone" if alone else "similar",
        )
        yield Moved(move.id, move.origin, move.cluster, why(reason), _copied(move.id, move.cluster))


def _copied(on: str, cluster: str) -> str:
    near = (Near(on, cluster, 1.0),)
    return why(Assignment("", cluster, False, 1.0, 1.0, near, (), "fingerprint"))


def _followed(cluster: str) -> str:
    return json.dumps({"cluster": cluster, "because": "followed", "nearest": [], "shared": []})


def _stragglers(sight: _Sight, found: Rebalanced) -> Iterator[Moved]:
    """What rides on an item that is elsewhere, as after a correction was undone, comes to it."""
    now = {point.id: point.cluster for point in sight.points}
    later = now | {move.id: move.cluster for move in found.moves}
    for rider in sight.riders:
        to = later.get(rider.rides)
        if to and not rider.held and rider.cluster not in (to, now[rider.rides]):
            yield Moved(rider.id, rider.cluster, to, _copied(rider.rides, to))


def _named(sight: _Sight, found: Rebalanced, moves: Sequence[Moved], gemini: Gemini) -> list[Named]:
    """Names for the clusters that items come to or go from."""
    point_of = {point.id: point for point in sight.points}
    change: Counter[str] = Counter()
    for move in moves:
        point = point_of.get(move.id)
        count = 1 + (point.riders if point else 0)
        change.update({move.origin: -count, move.cluster: count})
    for origin, to in found.followers.items():
        rest = sight.clusters[origin].size + change[origin]
        change.update({origin: -rest, to: rest})
    titles = _titles(sight, moves)
    changed = []
    for cluster in sorted(change):
        was = sight.clusters.get(cluster)
        size = (was.size if was else 0) + change[cluster]
        if size > 0 and titles.get(cluster):
            texts = titles[cluster]
            changed.append(Changed(cluster, size, was.named_size if was else 0, texts[0], texts))
    return name_clusters(changed, gemini)


def _titles(sight: _Sight, moves: Sequence[Moved]) -> Mapping[str, list[str]]:
    """The titles of each cluster's points when all is moved, of those with most riders first."""
    to = {move.id: move.cluster for move in moves}
    titles: dict[str, list[str]] = {}
    for point in sorted(sight.points, key=lambda point: (-point.riders, point.id)):
        titles.setdefault(to.get(point.id, point.cluster), []).append(point.title)
    return titles
