"""Fix jobs in Redis."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from soulcaster.edges.job_view import LISTED, job_view
from soulcaster.edges.redis import Redis, record
from soulcaster.rules import ids
from soulcaster.rules.day import day_of
from soulcaster.rules.job import (
    AT_WORK,
    ENDS,
    ENTERED_FROM,
    HOLDS_SLOT,
    PATIENCE,
    WAITING_MS,
    State,
)
from soulcaster.rules.page import Page, page_from
from soulcaster.rules.project import DEFAULTS
from soulcaster.rules.prompt import TOLD

# What may run at once where nobody says otherwise.
JOBS_AT_ONCE = 5
LOG_ENTRIES = 2_000


@dataclass(frozen=True, slots=True)
class Moved:
    """How a transition went: only ``moved`` changed anything, but for a job put in line.

    ``waiting``: it stays queued until there is a slot. ``opening``: its pull request is being
    opened, so it can't be cancelled. ``next`` is (job, attempt) of one that waited for the slot
    that this one has left: its message is to be sent.
    """

    outcome: Literal["moved", "waiting", "opening", "stale", "refused", "missing"]
    state: str
    attempt: int
    task: str = ""
    tries: int = 0
    next: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What an attempt has cost so far: micro-dollars, tokens read and written, calls."""

    spent: int = 0
    read: int = 0
    written: int = 0
    calls: int = 0

    def fields(self) -> dict[str, str]:
        """As a job's fields."""
        return {name: str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking for a fix; see ``job_ask.lua`` for the outcomes.

    ``id``: the job's, or that of the cluster that this one was merged into. ``said``: the job's
    state, or the address of the pull request that is open.
    """

    outcome: str
    id: str
    said: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Brief:
    """All that a task or the publisher needs of a job; ``plan`` is a stored version or ''.

    Of each of ``feedback``, ``said`` is what the first reports in its evidence say.
    """

    job: dict[str, Any]
    cluster: dict[str, Any]
    project: dict[str, Any]
    feedback: tuple[dict[str, Any], ...]
    size: int
    plan: str


class JobStore:
    """Asks for, moves and lists jobs; every method is one round trip.

    ``jobs_at_once`` is how many of the whole installation may run at a time.
    """

    def __init__(self, redis: Redis, jobs_at_once: int = JOBS_AT_ONCE) -> None:
        self._redis = redis
        self._jobs_at_once = jobs_at_once

    def ask(
        self,
        cluster: str,
        now: int,
        asked_by: str,
        *,
        again: bool = False,
        without_plan: bool = False,
    ) -> Asked:
        """Ask for a fix of ``cluster``; joins the live job when there is one.

        ``again``: in spite of a pull request that is open. What the job may cost is set aside.
        """
        project = ids.project_of(cluster, "cl") or ""
        limits = ("dollars_per_job", "minutes_per_job", "jobs_per_day", "dollars_per_day")
        found = self._redis.run(
            "job_ask",
            *(project, cluster, ids.new_job_id(project), now, now + PATIENCE["queued"], asked_by),
            *(day_of(now), int(again), int(without_plan)),
            json.dumps({name: getattr(DEFAULTS, name) for name in limits}),
        )
        outcome, identifier, said, attempt = found
        return Asked(outcome, identifier, said, int(attempt))

    def move(
        self,
        job: str,
        attempt: int | Literal["*"],
        to: State,
        now: int,
        reason: str,
        fields: Mapping[str, str] | None = None,
        *,
        only_from: Sequence[State] | None = None,
        pause: int = 0,
    ) -> Moved:
        """Move a job's ``attempt`` to the state ``to``, if the life of a job has that step.

        ``only_from`` narrows the states it may come from further. ``pause``: seconds that its
        message is held back for.
        """
        before = [s for s in ENTERED_FROM[to] if only_from is None or s in only_from]
        due = "" if to in ENDS else now + PATIENCE[to] + pause * 1000
        outcome, state, current, task, tries, *following = self._redis.run(
            "job_move",
            *(ids.project_of(job, "job") or "", job, attempt, _listed(before), to, now, due),
            *(reason[:2_000], json.dumps(dict(fields or {})), _listed(HOLDS_SLOT)),
            *(self._jobs_at_once, DEFAULTS.jobs_at_once, now + WAITING_MS),
            now + PATIENCE["queued"],
        )
        return Moved(outcome, state, int(current), task, int(tries), _next(following))

    def beat(
        self,
        job: str,
        attempt: int,
        now: int,
        spent: Spent | None = None,
        wanted: int = 0,
        log: tuple[int, Sequence[str]] = (0, ()),
    ) -> tuple[int, int] | None:
        """A sign of life of a task at work; None when it is no longer wanted, or too late.

        ``wanted``: micro-dollars that it wants to be allowed in all. ``log``: entries, and which
        number the first has. Returns what it is allowed, and how many entries are stored.
        """
        first, entries = log
        found = self._redis.run(
            "job_beat",
            *(ids.project_of(job, "job") or "", job, attempt, _listed(AT_WORK), now),
            *(PATIENCE["running"], json.dumps(spent.fields() if spent else {}), wanted),
            *(first, json.dumps(list(entries)), LOG_ENTRIES),
        )
        return (int(found[0]), int(found[1])) if found else None

    def touch(
        self,
        job: str,
        attempt: int,
        states: Sequence[State],
        due: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> bool:
        """Note ``fields`` on a job in one of ``states``; False when it is elsewhere by now.

        ``due``: when the reaper should look at it, where that changes.
        """
        project, body = ids.project_of(job, "job") or "", json.dumps(dict(fields or {}))
        at = "" if due is None else due
        return bool(self._redis.run("job_touch", project, job, attempt, _listed(states), at, body))

    def due(self, now: int, limit: int) -> tuple[list[dict[str, Any]], list[tuple[str, int]]]:
        """Jobs that nothing was heard of for longer than their state's patience; and (job,
        attempt) of those that waited and for which there is a slot: their messages are to be sent.
        """
        overdue, told = self._redis.run(
            "jobs_due", now, limit, self._jobs_at_once, DEFAULTS.jobs_at_once,
            now + PATIENCE["queued"],
        )  # fmt: skip
        return [record(fields) for fields in overdue], [(job, int(n)) for job, n in told]

    def read(self, job: str) -> dict[str, Any] | None:
        """A job with its history, or None."""
        found = self._redis.run("job_read", ids.project_of(job, "job") or "", job)
        if not found:
            return None
        fields, entries, size = found
        history = [json.loads(entry) for entry in entries]
        for entry in history:
            entry["at"] = int(entry["at"])
        return {**job_view(record(fields)), "history": history, "reports_now": int(size)}

    def log(
        self, job: str, attempt: int, after: int, limit: int
    ) -> tuple[str, int, list[str], int] | None:
        """Entries of an attempt's log after the first ``after``, or None without such a job.

        Returns the job's state and attempt, the entries, and how many the attempt's log has.
        """
        project = ids.project_of(job, "job") or ""
        found = self._redis.run("job_log", project, job, attempt, after, limit)
        if not found:
            return None
        state, current, entries, stored = found
        return state, int(current), list(entries), int(stored)

    def brief(self, job: str, items: int) -> Brief | None:
        """The job, its cluster, project and plan, and the newest ``items`` feedback, or None."""
        found = self._redis.run("job_brief", ids.project_of(job, "job") or "", job, items, TOLD)
        if not found:
            return None
        fields, cluster, project, docs, size, plan = found
        return Brief(
            record(fields),
            record(cluster),
            json.loads(project or "{}"),
            tuple({**json.loads(head), "said": said} for head, said in docs),
            int(size),
            plan,
        )

    def page(self, project: str, position: str, limit: int) -> Page[dict[str, Any]] | None:
        """Newest first, after ``position`` ('' for the top); None without such a project."""
        found = self._redis.run("page", project, "jobs", "job:", position, limit, *LISTED)
        return page_from(found, lambda r: job_view(dict(zip(LISTED, r, strict=True))))


def _listed(states: Sequence[State]) -> str:
    return f",{','.join(states)},"


def _next(found: Sequence[Any]) -> tuple[str, int] | None:
    job, attempt = found
    return (job, int(attempt)) if job else None
