"""Clusters, and what people do with them."""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Body, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from routes.auth import Who
from routes.errors import BAD_REQUEST, CONFLICT, NOT_FOUND, TOO_MANY, not_found
from routes.feedback import FeedbackOut
from routes.jobs import JobOut
from routes.paging import Cursor, Limit, PageOf, ProjectId, page_of, position
from soulcaster import wiring
from soulcaster.edges.clock import now_ms
from soulcaster.edges.cluster_list import Listed, Merged, Sort, Status
from soulcaster.rules import ids
from soulcaster.rules.feedback import Severity
from soulcaster.rules.ids import PROJECT
from soulcaster.use_cases.ask_fix import NothingToFix, TooMuch, ask_fix

router = APIRouter(tags=["clusters"])


class Impact(BaseModel):
    """How much a cluster matters, from 0 to 100; `low` and `high` are what chance alone explains.

    `reason` says in a line what the score comes from. It is rated when it changes and, as time
    passes, every six hours.
    """

    score: float
    low: float
    high: float
    reason: str


class ClusterOut(BaseModel):
    """Reports of one problem; times are milliseconds since 1970 in UTC.

    `named_by` is `model`, or `title` for the title of its first. `size` counts items, `reports` how
    often they were reported, and `reporters` who did, as far as that is known. `severity` is the
    worst. `trend` is the reports on each of the last 30 UTC days, oldest first. A resolved cluster
    that is reported again is open, with `regressed_at`, and with `regressed_after` if a pull
    request had been there when it was resolved. `pull_job` is the job whose pull
    request is open; `plan` is the version of the plan that fixes run on.
    """

    id: str
    status: Literal["open", "resolved", "ignored", "merged"]
    name: str
    summary: str
    named_by: str
    size: int
    sources: dict[str, int]
    reporters: int
    reports: int
    severity: Severity | None
    impact: Impact
    trend: list[int]
    first_seen: int
    last_seen: int
    created_at: int
    live_job: str | None
    pull_job: str | None
    plan: int | None
    merged_into: str | None
    resolved_at: int | None
    resolved_pr: str | None
    regressed_at: int | None
    regressed_after: str | None


class ClusterWhole(ClusterOut):
    """A cluster with its newest feedback and its jobs, newest first."""

    feedback: list[FeedbackOut]
    jobs: list[JobOut]


class StatusWanted(BaseModel):
    """What the cluster is from now on.

    What is `resolved` opens again when it is reported again; what is `ignored` stays so.
    """

    model_config = ConfigDict(extra="forbid")
    status: Status


class RebalanceWanted(BaseModel):
    """Which project to look at."""

    model_config = ConfigDict(extra="forbid")
    project: str = Field(pattern=rf"^{PROJECT.pattern}$")


class Accepted(BaseModel):
    """It will be done."""

    status: Literal["accepted"] = "accepted"


class FixWanted(BaseModel):
    """How to fix: `again` in spite of an open pull request, `without_plan` in spite of a plan."""

    model_config = ConfigDict(extra="forbid")
    again: bool = False
    without_plan: bool = False


class JobAsked(BaseModel):
    """The job that works on the cluster; `joined` when it did so before this was asked."""

    id: str
    state: str
    attempt: int
    joined: bool


@router.get("/clusters", responses={**BAD_REQUEST, **NOT_FOUND})
def list_clusters(
    who: Who,
    project: ProjectId,
    sort: Sort = "impact",
    status: Listed = "open",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[ClusterOut]:
    """A project's clusters: those that matter most, the latest or the largest first."""
    found = wiring.cluster_list(who).page(
        project, position(cursor), limit, sort=sort, status=status, now=now_ms()
    )
    return page_of(ClusterOut, found)


@router.post("/clusters/rebalance", status_code=202, responses=NOT_FOUND)
def rebalance(who: Who, wanted: RebalanceWanted) -> Accepted:
    """Cluster what is pending in a project, then look at it again as a whole, without waiting."""
    if not wiring.looks(who).ask(wanted.project, who.now):
        raise not_found("project")
    wiring.queue("CLUSTER_QUEUE_URL").send(json.dumps({"project": wanted.project, "look": True}))
    return Accepted()


@router.get("/clusters/{cluster}", responses=NOT_FOUND)
def read_cluster(who: Who, cluster: str, limit: Limit = 50) -> ClusterWhole:
    """A cluster with its newest `limit` items and its jobs."""
    project = ids.project_of(cluster, "cl")
    found = wiring.cluster_list(who).read(project, cluster, limit, now_ms()) if project else None
    if found is None:
        raise not_found("cluster")
    return ClusterWhole(**found)


@router.patch("/clusters/{cluster}", responses={**NOT_FOUND, **CONFLICT})
def change_cluster(who: Who, cluster: str, wanted: StatusWanted) -> ClusterOut:
    """Say what a cluster is; to say it again changes nothing."""
    project = ids.project_of(cluster, "cl")
    if project is None:
        raise not_found("cluster")
    try:
        found = wiring.cluster_list(who).set_status(
            project, cluster, wanted.status, who.name, now_ms()
        )
    except Merged as error:
        raise HTTPException(409, str(error)) from error
    if found is None:
        raise not_found("cluster")
    return ClusterOut(**found)


@router.post(
    "/clusters/{cluster}/fix",
    status_code=202,
    responses={
        200: {"model": JobAsked, "description": "A job was at work on it already"},
        **NOT_FOUND,
        **CONFLICT,
        **TOO_MANY,
    },
)
def fix_cluster(
    who: Who, cluster: str, response: Response, wanted: Annotated[FixWanted | None, Body()] = None
) -> JobAsked:
    """Have an agent work on a draft pull request; 200 when one does so already."""
    if ids.project_of(cluster, "cl") is None:
        raise not_found("cluster")
    wanted = wanted or FixWanted()
    try:
        asked = ask_fix(
            cluster,
            who.name,
            again=wanted.again,
            without_plan=wanted.without_plan,
            jobs=wiring.jobs(who),
            queue=wiring.queue("FIX_QUEUE_URL"),
            now=now_ms(),
        )
    except NothingToFix as error:
        raise HTTPException(409, str(error)) from error
    except TooMuch as error:
        raise HTTPException(429, str(error), {"retry-after": str(error.seconds)}) from error
    if asked is None:
        raise not_found("cluster")
    if asked.joined:
        response.status_code = 200
    return JobAsked(**asked.job, joined=asked.joined)
