"""Clusters in Redis, and the lease under which they are made."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from soulcaster.edges.feedback_store import feedback_view
from soulcaster.edges.job_store import job_view
from soulcaster.edges.redis import Redis, record
from soulcaster.rules.page import Page, encode_cursor

if TYPE_CHECKING:
    # It needs numpy, which only the functions that cluster have.
    from soulcaster.rules.cluster import Assignment

_FIELDS = (
    *("id", "status", "name", "summary", "first_seen", "last_seen", "created", "job", "named_by"),
    *("source:github", "source:reddit", "source:sentry", "source:standard"),
)
_SORTS = {"recent": "cls", "size": "cls:size"}


@dataclass(frozen=True, slots=True)
class Pending:
    """An item to be clustered; ``cluster`` is set when only its text has changed."""

    id: str
    title: str
    text: str
    text_hash: str
    source: str
    created_at: int
    cluster: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch of one project, held under a lease; ``fence`` tells this holder from the next."""

    project: str
    owner: str
    fence: str
    items: tuple[Pending, ...]
    recents: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Context:
    """Cluster and title of each neighbour that has one; size and named size of the clusters."""

    members: dict[str, tuple[str, str]]
    clusters: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Named:
    """What a cluster is called, by whom, and how large it was then."""

    id: str
    name: str
    summary: str
    size: int
    by: str


class ClusterStore:
    """Claims, commits and lists; every method is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def claim(
        self,
        project: str,
        owner: str,
        lease_ms: int,
        limit: int,
        now: int,
        skip: Collection[str] = (),
    ) -> Claim | None:
        """Take the lease on ``project`` ('' for any) and up to ``limit`` pending items.

        None when nothing is pending or somebody else holds the lease. ``owner`` names the
        delivery that works: the same one may come back after its handler was killed.
        """
        found = self._redis.run(
            "cluster_claim", project, owner, lease_ms, limit, now, json.dumps(list(skip))
        )
        if not found:
            return None
        name, fence, items, recents = found
        return Claim(
            name,
            owner,
            str(fence),
            tuple(
                Pending(i, title, text, text_hash, source, int(created), cluster)
                for i, title, text, text_hash, source, created, cluster in items
            ),
            tuple((i, vector) for i, vector in recents),
        )

    def context(self, project: str, neighbours: Sequence[str]) -> Context:
        """Where ``neighbours`` are now."""
        members, clusters = self._redis.run("cluster_context", project, json.dumps(neighbours))
        return Context(
            {i: (cluster, title) for i, cluster, title in members},
            {cluster: (int(size), int(named)) for cluster, size, named in clusters},
        )

    def commit(
        self,
        claim: Claim,
        assigned: "Sequence[Assignment]",
        names: Sequence[Named],
        vectors: Sequence[tuple[str, str]],
        now: int,
        recent_until: int,
    ) -> tuple[int, int, int]:
        """Write a batch's decisions and give the lease back.

        Returns how many items are newly in a cluster, how many of the project are still
        pending, and how many projects have pending items. Raises ``Stale``, and has written
        nothing, when the lease was lost.
        """
        decided = {a.id: a for a in assigned}
        rows = [
            {
                "id": item.id,
                "cluster": decided[item.id].cluster if item.id in decided else "",
                "why": json.dumps(asdict(decided[item.id])) if item.id in decided else "",
                "text_hash": item.text_hash,
                "source": item.source,
            }
            for item in claim.items
        ]
        clustered, pending, projects = self._redis.run(
            "cluster_commit",
            claim.project,
            claim.owner,
            claim.fence,
            now,
            json.dumps(rows),
            json.dumps([asdict(name) for name in names]),
            json.dumps([{"id": i, "vector": v} for i, v in vectors]),
            recent_until,
        )
        return int(clustered), int(pending), int(projects)

    def release(self, claim: Claim) -> None:
        """Give the lease back with nothing done."""
        self._redis.run("release", claim.project, claim.owner)

    def page(
        self, project: str, sort: str, position: str, limit: int
    ) -> Page[dict[str, Any]] | None:
        """Clusters by ``sort`` (recent, size) after ``position``; None without such a project."""
        found = self._redis.run("page", project, _SORTS[sort], "cl:", position, limit, *_FIELDS)
        if not found:
            return None
        records, after, total = found
        items = [cluster_view(dict(zip(_FIELDS, r, strict=True))) for r in records]
        return Page(items, encode_cursor(after) if after else None, int(total))

    def read(self, project: str, identifier: str, items: int) -> dict[str, Any] | None:
        """A cluster with its newest feedback and its jobs, or None."""
        found = self._redis.run("cluster_read", project, identifier, items)
        if not found:
            return None
        fields, feedback, jobs = found
        return {
            **cluster_view(record(fields)),
            "feedback": [feedback_view(values) for values in feedback],
            "jobs": [job_view(record(values)) for values in reversed(jobs)],
        }


def cluster_view(stored: dict[str, Any]) -> dict[str, Any]:
    """A stored cluster as the API shows it."""
    sources = {
        kind: int(stored[f"source:{kind}"])
        for kind in ("github", "reddit", "sentry", "standard")
        if stored.get(f"source:{kind}")
    }
    return {
        "id": stored["id"],
        "status": stored["status"],
        "name": stored.get("name") or "(unnamed)",
        "summary": stored.get("summary") or "",
        "named_by": stored.get("named_by") or "",
        "size": sum(sources.values()),
        "sources": sources,
        "first_seen": int(stored["first_seen"]),
        "last_seen": int(stored["last_seen"]),
        "created_at": int(stored["created"]),
        "live_job": stored.get("job"),
    }
