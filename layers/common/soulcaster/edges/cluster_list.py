"""Clusters in Redis as people see them: lists, one in full, its status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from soulcaster.edges.feedback_store import feedback_view
from soulcaster.edges.job_view import job_view
from soulcaster.edges.redis import Redis, record
from soulcaster.rules.feedback import SEVERITIES
from soulcaster.rules.impact import Parts, reason, worst
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.page import Page, page_from

Sort = Literal["impact", "recent", "size"]
Status = Literal["open", "resolved", "ignored"]
Listed = Literal["open", "resolved", "ignored", "all"]

DAY_MS = 24 * 60 * 60 * 1000
TREND_DAYS = 30

_FIELDS = (
    *("id", "status", "name", "summary", "first_seen", "last_seen", "created", "job", "named_by"),
    *("pull", "plan"),
    *(f"source:{kind}" for kind in KINDS),
    *(f"severity:{severity}" for severity in SEVERITIES),
    *("reports", "reporters", "week", "earlier", "silent", "ranked_at"),
    *("impact", "impact_low", "impact_high", "merged_into"),
    *("resolved_at", "resolved_pr", "regressed_at", "regressed_after"),
)
_INDEXES: dict[Sort, str] = {"impact": "cls:impact", "recent": "cls", "size": "cls:size"}


class Merged(Exception):  # noqa: N818 - names what is
    """The cluster went into another one, and has no status of its own any more."""

    def __init__(self, cluster: str, into: str) -> None:
        super().__init__(f"status: {cluster} was merged into {into}")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A project whose old ratings were refreshed; ``more`` when that is due somewhere still."""

    project: str
    clusters: int
    more: bool


class ClusterList:
    """Lists, shows and rates clusters; every method is one round trip. ``now`` in ms."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def page(
        self,
        project: str,
        position: str,
        limit: int,
        *,
        sort: Sort,
        status: Listed,
        now: int,
    ) -> Page[dict[str, Any]] | None:
        """Clusters in ``status`` by ``sort`` after ``position``; None without such a project."""
        index = _INDEXES[sort] + ("" if status == "all" else f":{status}")
        found = self._redis.run(
            "clusters_page", project, index, position, limit, now // DAY_MS, TREND_DAYS, *_FIELDS
        )

        def view(record: Sequence[Any]) -> dict[str, Any]:
            values, days = record
            return cluster_view(dict(zip(_FIELDS, values, strict=True)), days)

        return page_from(found, view)

    def read(self, project: str, cluster: str, items: int, now: int) -> dict[str, Any] | None:
        """A cluster with its newest feedback and its jobs, or None."""
        found = self._redis.run("cluster_read", project, cluster, items, now // DAY_MS, TREND_DAYS)
        if not found:
            return None
        fields, days, feedback, jobs = found
        return {
            **cluster_view(record(fields), days),
            "feedback": [feedback_view(values) for values in feedback],
            "jobs": [job_view(record(values)) for values in reversed(jobs)],
        }

    def set_status(
        self, project: str, cluster: str, status: Status, who: str, now: int
    ) -> dict[str, Any] | None:
        """Say what a cluster is; the cluster as it is now, or None. Raises ``Merged``.

        To say again what it is changes nothing.
        """
        found = self._redis.run(
            "cluster_status", project, cluster, status, who, now, now // DAY_MS, TREND_DAYS
        )
        if not found:
            return None
        done, fields, days = found
        view = cluster_view(record(fields), days)
        if not done:
            raise Merged(cluster, view["merged_into"])
        return view

    def trend(self, project: str, days: int, now: int) -> list[int] | None:
        """A project's reports on each of the last ``days`` UTC days, oldest first, or None."""
        found = self._redis.run("project_trend", project, now // DAY_MS, days)
        return _counts(found) if found else None

    def rank_due(self, now: int, rated_by: int, limit: int) -> Ranked | None:
        """Rate up to ``limit`` clusters of one project again that were last rated by ``rated_by``.

        None when that is due in no project. Those without a report for 60 days are left alone:
        their rating hardly changes.
        """
        found = self._redis.run("rank_due", now, rated_by, limit)
        if not found:
            return None
        project, clusters, more = found
        return Ranked(project, int(clusters), bool(more))


def cluster_view(stored: Mapping[str, Any], days: Sequence[str]) -> dict[str, Any]:
    """A stored cluster as the API shows it, with its reports by day. One that is empty, since its
    items are in others now, has no impact.
    """
    sources = _above_zero(stored, "source", tuple(KINDS))
    severity = worst(_above_zero(stored, "severity", SEVERITIES))
    return {
        "id": stored["id"],
        "status": stored["status"],
        "name": stored.get("name") or "(unnamed)",
        "summary": stored.get("summary") or "",
        "named_by": stored.get("named_by") or "",
        "size": sum(sources.values()),
        "sources": sources,
        "reporters": int(stored.get("reporters") or 0),
        "reports": int(stored.get("reports") or 0),
        "severity": severity,
        "impact": {
            "score": float(stored.get("impact") or 0),
            "low": float(stored.get("impact_low") or 0),
            "high": float(stored.get("impact_high") or 0),
            "reason": _reason(stored, sources) if stored.get("impact") else "",
        },
        "trend": _counts(days),
        "first_seen": int(stored["first_seen"]),
        "last_seen": int(stored["last_seen"]),
        "created_at": int(stored["created"]),
        "live_job": stored.get("job"),
        "pull_job": stored.get("pull"),
        "plan": int(stored["plan"]) if stored.get("plan") else None,
        "merged_into": stored.get("merged_into"),
        "resolved_at": _moment(stored, "resolved_at"),
        "resolved_pr": stored.get("resolved_pr") or None,
        "regressed_at": _moment(stored, "regressed_at"),
        "regressed_after": stored.get("regressed_after") or None,
    }


def _reason(stored: Mapping[str, Any], sources: Mapping[str, int]) -> str:
    counted = ("reporters", "week", "earlier", "silent", "first_seen", "ranked_at")
    return reason(
        Parts(
            **{name: int(stored[name]) for name in counted},
            sources=sources,
            severity=worst(_above_zero(stored, "severity", SEVERITIES)),
        )
    )


def _above_zero(stored: Mapping[str, Any], prefix: str, names: Sequence[str]) -> dict[str, int]:
    found = {name: stored.get(f"{prefix}:{name}") for name in names}
    return {name: int(count) for name, count in found.items() if count}


def _moment(stored: Mapping[str, Any], field: str) -> int | None:
    at = stored.get(field)
    return int(at) if at else None


def _counts(days: Sequence[str]) -> list[int]:
    return [int(count or 0) for count in days]
