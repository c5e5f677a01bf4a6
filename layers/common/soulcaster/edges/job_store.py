"""Fix jobs in Redis."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from soulcaster.edges.redis import Redis, record
from soulcaster.rules import ids
from soulcaster.rules.job import ENDS, ENTERED_FROM, PATIENCE, State
from soulcaster.rules.page import Page, encode_cursor

_FIELDS = (
    *("id", "cluster", "state", "attempt", "created", "updated", "asked_by", "reason"),
    *("summary", "pr_url", "pr_number", "task", "deadline"),
)


@dataclass(frozen=True, slots=True)
class Moved:
    """How a transition went: only ``moved`` changed anything."""

    outcome: Literal["moved", "stale", "refused", "missing"]
    state: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Brief:
    """All that a task or the publisher needs of a job."""

    job: dict[str, Any]
    cluster: dict[str, Any]
    project: dict[str, Any]
    feedback: tuple[dict[str, Any], ...]
    size: int


class JobStore:
    """Asks for, moves and lists jobs; every method is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def ask(self, cluster: str, now: int, asked_by: str) -> tuple[str, dict[str, Any]] | None:
        """Ask for a fix of ``cluster``; joins the live job when there is one.

        Returns (created, joined, no_repository or merged, {id, state, attempt}), or None when there
        is no cluster. ``id`` is the job's, or that of the cluster that it was merged into.
        """
        project = ids.project_of(cluster, "cl") or ""
        job = ids.new_job_id(project)
        due = now + PATIENCE["queued"]
        outcome, identifier, state, attempt = self._redis.run(
            "job_ask", project, cluster, job, now, due, asked_by
        )
        if outcome == "missing":
            return None
        return outcome, {"id": identifier, "state": state, "attempt": int(attempt)}

    def move(
        self,
        job: str,
        attempt: int,
        to: State,
        now: int,
        reason: str,
        fields: Mapping[str, str] | None = None,
        only_from: Collection[State] | None = None,
    ) -> Moved:
        """Move a job's ``attempt`` to the state ``to``, if the life of a job has that step.

        ``only_from`` narrows the states it may come from further.
        """
        before = [s for s in ENTERED_FROM[to] if only_from is None or s in only_from]
        outcome, state, current = self._redis.run(
            "job_move",
            ids.project_of(job, "job") or "",
            job,
            attempt,
            f",{','.join(before)},",
            to,
            now,
            "" if to in ENDS else now + PATIENCE[to],
            reason[:2_000],
            json.dumps(dict(fields or {})),
        )
        return Moved(outcome, state, int(current))

    def touch(
        self,
        job: str,
        attempt: int,
        state: State,
        now: int,
        fields: Mapping[str, str] | None = None,
    ) -> bool:
        """Say that a job in ``state`` is alive; False when it is no longer there, or late."""
        project = ids.project_of(job, "job") or ""
        due = now + PATIENCE[state]
        body = json.dumps(dict(fields or {}))
        return bool(self._redis.run("job_touch", project, job, attempt, state, now, due, body))

    def due(self, now: int, limit: int) -> list[dict[str, Any]]:
        """Jobs that nothing was heard of for longer than their state's patience."""
        return [record(fields) for fields in self._redis.run("jobs_due", now, limit)]

    def read(self, job: str) -> dict[str, Any] | None:
        """A job with its history, or None."""
        found = self._redis.run("job_read", ids.project_of(job, "job") or "", job)
        if not found:
            return None
        history = [json.loads(entry) for entry in found[1]]
        for entry in history:
            entry["at"] = int(entry["at"])
        return {**job_view(record(found[0])), "history": history}

    def brief(self, job: str, items: int) -> Brief | None:
        """The job, its cluster and project and the newest ``items`` feedback; None for no job."""
        found = self._redis.run("job_brief", ids.project_of(job, "job") or "", job, items)
        if not found:
            return None
        fields, cluster, project, docs, size = found
        return Brief(
            record(fields),
            record(cluster),
            json.loads(project or "{}"),
            tuple(json.loads(doc) for doc in docs),
            int(size),
        )

    def page(self, project: str, position: str, limit: int) -> Page[dict[str, Any]] | None:
        """Newest first, after ``position`` ('' for the top); None without such a project."""
        found = self._redis.run("page", project, "jobs", "job:", position, limit, *_FIELDS)
        if not found:
            return None
        records, after, total = found
        items = [job_view(dict(zip(_FIELDS, r, strict=True))) for r in records]
        return Page(items, encode_cursor(after) if after else None, int(total))


def job_view(stored: dict[str, Any]) -> dict[str, Any]:
    """A stored job as the API shows it."""
    number = stored.get("pr_number")
    return {
        "id": stored["id"],
        "cluster": stored["cluster"],
        "state": cast("State", stored["state"]),
        "attempt": int(stored["attempt"]),
        "reason": stored.get("reason") or "",
        "summary": stored.get("summary") or "",
        "asked_by": stored["asked_by"],
        "created_at": int(stored["created"]),
        "updated_at": int(stored["updated"]),
        "pull_request": {"number": int(number), "url": stored["pr_url"]} if number else None,
    }
