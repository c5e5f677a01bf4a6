"""Fix jobs."""

import hashlib
import re
from typing import Annotated, Literal

from fastapi import APIRouter, Header, HTTPException, Query, Response
from pydantic import BaseModel

from routes.auth import Who
from routes.errors import BAD_REQUEST, CONFLICT, NOT_FOUND, not_found
from routes.paging import Cursor, Limit, PageOf, ProjectId, page_of, position
from soulcaster import wiring
from soulcaster.edges.clock import now_ms
from soulcaster.rules import ids
from soulcaster.rules.access import Caller
from soulcaster.rules.job import ENDS, OBJECTS, Cause, State, object_key
from soulcaster.rules.project import Verdict
from soulcaster.use_cases.cancel import cancel

router = APIRouter(tags=["jobs"])

RECORD_SECONDS = 15 * 60
_AFTER = re.compile(r"([1-9][0-9]{0,4})\.([0-9]{1,6})")


class PullRequest(BaseModel):
    """Where the fix can be read, and what has become of it."""

    number: int
    url: str
    state: Literal["open", "closed", "merged"]
    draft: bool
    checks: Literal["pending", "passing", "failing"] | None


class Cost(BaseModel):
    """What the model calls have cost, as far as it was reported; of an ended job, in all.

    Where a task ended without a report its job is not `exact`, and cost at most this. Tokens and
    calls are the last attempt's.
    """

    dollars: float
    exact: bool
    budget: float
    tokens_read: int
    tokens_written: int
    model_calls: int


class JobOut(BaseModel):
    """A fix that was asked for; times are milliseconds since 1970 in UTC.

    `cause` says for programs why it ended, `reason` says it to people. `verdict` is what running
    the tests showed. `deadline` is the running attempt's. `plan` is the version of the cluster's
    plan that it works by.
    """

    id: str
    cluster: str
    state: State
    attempt: int
    reason: str
    cause: Cause | None
    summary: str
    repository: str
    base: str
    verdict: Verdict | None
    plan: int | None
    engine: str | None
    model: str | None
    cost: Cost
    asked_by: str
    created_at: int
    updated_at: int
    deadline: int | None
    reports_at_start: int
    pull_request: PullRequest | None


class Transition(BaseModel):
    """A state that the job came into."""

    state: str
    at: int
    attempt: int
    reason: str


class JobWhole(JobOut):
    """A job with every state it has been in. `reports_now` is how many items its cluster has."""

    history: list[Transition]
    reports_now: int


class LogPage(BaseModel):
    """Lines that the attempts wrote. Ask for those after `next`; `done` when none will come."""

    entries: list[str]
    attempt: int
    next: str
    done: bool


class AttemptFiles(BaseModel):
    """Addresses to download what an attempt left, good for 15 minutes.

    That of something it did not leave is answered with 403 or 404.
    """

    attempt: int
    files: dict[str, str]


class Record(BaseModel):
    """A job, and everything that its attempts left."""

    job: JobWhole
    attempts: list[AttemptFiles]


@router.get("/jobs", responses={**BAD_REQUEST, **NOT_FOUND})
def list_jobs(
    who: Who, project: ProjectId, cursor: Cursor = None, limit: Limit = 50
) -> PageOf[JobOut]:
    """A project's jobs, newest first."""
    return page_of(JobOut, wiring.jobs(who).page(project, position(cursor), limit))


@router.get(
    "/jobs/{job}",
    response_model=JobWhole,
    responses={**NOT_FOUND, 304: {"description": "Nothing has changed since that ETag"}},
)
def read_job(
    who: Who, job: str, response: Response, if_none_match: Annotated[str | None, Header()] = None
) -> JobWhole | Response:
    """One job with its history, and an ETag to ask for changes with."""
    found = _job(who, job)
    tag = f'"{hashlib.sha256(found.model_dump_json().encode()).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    known = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return found


@router.get("/jobs/{job}/logs", responses={**BAD_REQUEST, **NOT_FOUND})
def read_logs(
    who: Who,
    job: str,
    after: Annotated[str, Query(description="`next` of the page before")] = "1.0",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> LogPage:
    """What the attempts wrote, oldest first, as it comes; kept for a week after the end."""
    place = _AFTER.fullmatch(after)
    if place is None:
        raise HTTPException(400, "after: is no place in a log")
    attempt, start = int(place[1]), int(place[2])
    known = ids.project_of(job, "job")
    found = wiring.jobs(who).log(job, attempt, start, limit) if known else None
    if found is None:
        raise not_found("job")
    state, current, entries, stored = found
    end = start + len(entries)
    over = end >= stored
    if over and attempt < current:
        return LogPage(entries=entries, attempt=attempt, next=f"{attempt + 1}.0", done=False)
    done = over and attempt >= current and state in ENDS
    return LogPage(entries=entries, attempt=attempt, next=f"{attempt}.{end}", done=done)


@router.get("/jobs/{job}/record", responses=NOT_FOUND)
def read_record(who: Who, job: str) -> Record:
    """The whole record: patch, proof, log, conversation with the model, result and cost."""
    found, bucket = _job(who, job), wiring.bucket()
    attempts = [
        AttemptFiles(
            attempt=number,
            files={
                name: bucket.download_url(object_key(job, number, name), RECORD_SECONDS)
                for name in OBJECTS
            },
        )
        for number in range(1, found.attempt + 1)
    ]
    return Record(job=found, attempts=attempts)


@router.post("/jobs/{job}/cancel", responses={**NOT_FOUND, **CONFLICT})
def cancel_job(who: Who, job: str) -> JobWhole:
    """End a live job; to say it again changes nothing."""
    if ids.project_of(job, "job") is None:
        raise not_found("job")
    jobs, queue = wiring.jobs(who), wiring.queue("FIX_QUEUE_URL")
    moved = cancel(job, who.name, jobs=jobs, queue=queue, now=now_ms())
    if moved.outcome == "opening":
        raise HTTPException(409, "job: its pull request is being opened")
    if moved.outcome == "refused" and moved.state != "cancelled":
        raise HTTPException(409, f"job: it has ended: {moved.state}")
    return _job(who, job)


def _job(who: Caller, job: str) -> JobWhole:
    found = wiring.jobs(who).read(job) if ids.project_of(job, "job") else None
    if found is None:
        raise not_found("job")
    return JobWhole(**found)
