"""Second looks at a project's clusters in Redis, under the lease of those who make them."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

from soulcaster.edges.cluster_store import (
    Cluster,
    Learned,
    Named,
    Point,
    clusters_of,
    learned_of,
    names_row,
    points_of,
)
from soulcaster.edges.redis import Redis

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class LookClaim:
    """A project of ``total`` clustered items, held under a lease; ``asked`` for by somebody."""

    project: str
    owner: str
    fence: str
    total: int
    asked: bool
    recents: tuple[tuple[str, str], ...]
    learned: Learned


@dataclass(frozen=True, slots=True)
class Rider:
    """An item that rides on the point ``rides``; ``held`` by a correction."""

    id: str
    cluster: str
    rides: str
    held: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a project's points, and their clusters; ``next`` is '' on the last page."""

    points: tuple[Point, ...]
    riders: tuple[Rider, ...]
    clusters: dict[str, Cluster]
    next: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The machine thinks better of a point that it saw in ``origin``, and of what rides on it."""

    id: str
    origin: str
    cluster: str
    why: str
    riders_why: str = ""


@dataclass(frozen=True, slots=True)
class Followed:
    """The rest of the emptied cluster ``origin`` goes along."""

    origin: str
    cluster: str
    why: str


class LookStore:
    """Claims, reads and commits looks; every method is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def ask(self, project: str, now: int) -> bool:
        """Note who wants a look at ``project``; False when there is none. A message makes it."""
        return bool(self._redis.run("look_asked", project, now))

    def claim(
        self,
        project: str,
        owner: str,
        lease_ms: int,
        now: int,
        *,
        asked: bool = False,
        skip: Collection[str] = (),
        space: str = "",
    ) -> LookClaim | None:
        """Take the lease on ``project`` ('' for any) if a look at it is due.

        ``asked``: it is due now, once for each ``owner``, and stays so until somebody has
        looked. None when it is not, or
        while somebody else holds the lease. ``space``: of the embedding model's vectors.
        """
        found = self._redis.run(
            "look_claim", project, owner, lease_ms, now, int(asked), json.dumps(list(skip)), space
        )
        if not found:
            return None
        name, fence, total, recents, learned = found
        return LookClaim(
            name,
            owner,
            str(fence),
            int(total),
            asked,
            tuple((i, vector) for i, vector in recents),
            learned_of(learned),
        )

    def page(self, project: str, position: str) -> Page:
        """About 1,000 clustered items after ``position`` ('' for the first)."""
        points, riders, clusters, after = self._redis.run("look_page", project, position, PAGE)
        return Page(
            points_of(points),
            tuple(Rider(i, cluster, on, bool(held)) for i, cluster, on, held in riders),
            clusters_of(clusters),
            after,
        )

    def touched(self, project: str, position: str, per_cluster: int, room: int) -> Page:
        """Up to 1,000 points of the clusters that batches came near to, the most touched first.

        Up to ``per_cluster`` of each, evenly spaced by age, and ``room`` in all; a cluster that
        does not fit any more is left out.
        """
        points, clusters, after = self._redis.run(
            "look_touched", project, position or 0, per_cluster, room, PAGE
        )
        return Page(points_of(points), (), clusters_of(clusters), after)

    def commit(
        self,
        claim: LookClaim,
        moves: Sequence[Moved],
        followers: Sequence[Followed],
        names: Sequence[Named],
        geometry: str,
        now: int,
    ) -> int:
        """Write what a look came to and give the lease back; returns how many items were moved.

        Those are moved that still are where they were seen and that no correction holds. A
        cluster that is not open or has a live job is not emptied, and one that was merged meanwhile
        stands for what it has become. ``geometry``: '' leaves it as it was. Raises ``Stale``,
        and has written nothing, when the lease was lost.
        """
        rows = [_row(one) for one in moves]
        return int(
            self._redis.run(
                "look_commit",
                claim.project,
                claim.owner,
                claim.fence,
                now,
                json.dumps(rows),
                json.dumps([_row(one) for one in followers]),
                names_row(names),
                geometry,
                claim.total,
                int(claim.asked),
            )
        )

    def learned(self, project: str) -> Learned | None:
        """What a project has taught, without its geometry; None without such a project."""
        found = self._redis.run("grouping_read", project)
        return learned_of(found) if found else None

    def release(self, claim: LookClaim) -> None:
        """Give the lease back with nothing done."""
        self._redis.run("release", claim.project, claim.owner)


def _row(one: Moved | Followed) -> Mapping[str, str]:
    row: dict[str, str] = asdict(one)
    return {("from" if name == "origin" else name): value for name, value in row.items()}
