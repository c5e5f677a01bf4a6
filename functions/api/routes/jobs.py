"""Fix jobs."""

from fastapi import APIRouter
from pydantic import BaseModel

from routes.errors import BAD_REQUEST, NOT_FOUND, not_found
from routes.paging import Cursor, Limit, PageOf, ProjectId, page_of, position
from soulcaster import wiring
from soulcaster.rules import ids

router = APIRouter(tags=["jobs"])


class PullRequest(BaseModel):
    """Where the fix can be read."""

    number: int
    url: str


class JobOut(BaseModel):
    """A fix that was asked for; times are milliseconds since 1970 in UTC."""

    id: str
    cluster: str
    state: str
    attempt: int
    reason: str
    summary: str
    asked_by: str
    created_at: int
    updated_at: int
    pull_request: PullRequest | None


class Transition(BaseModel):
    """A state that the job came into."""

    state: str
    at: int
    attempt: int
    reason: str


class JobWhole(JobOut):
    """A job with every state it has been in."""

    history: list[Transition]


@router.get("/jobs", responses={**BAD_REQUEST, **NOT_FOUND})
def list_jobs(project: ProjectId, cursor: Cursor = None, limit: Limit = 50) -> PageOf[JobOut]:
    """A project's jobs, newest first."""
    return page_of(JobOut, wiring.jobs().page(project, position(cursor), limit))


@router.get("/jobs/{job}", responses=NOT_FOUND)
def read_job(job: str) -> JobWhole:
    """One job with its history."""
    found = wiring.jobs().read(job) if ids.project_of(job, "job") else None
    if found is None:
        raise not_found("job")
    return JobWhole(**found)
