"""Clusters, and what people do with them."""

import json
from typing import Literal

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from routes.errors import BAD_REQUEST, CONFLICT, NOT_FOUND, not_found
from routes.feedback import FeedbackOut
from routes.jobs import JobOut
from routes.paging import Cursor, Limit, PageOf, ProjectId, page_of, position
from soulcaster import wiring
from soulcaster.edges.clock import now_ms
from soulcaster.rules import ids
from soulcaster.rules.ids import PROJECT
from soulcaster.use_cases.ask_fix import NothingToFix, ask_fix

router = APIRouter(tags=["clusters"])


class ClusterOut(BaseModel):
    """Reports of one problem. `named_by` is `model`, or `title` for the title of its first."""

    id: str
    status: str
    name: str
    summary: str
    named_by: str
    size: int
    sources: dict[str, int]
    first_seen: int
    last_seen: int
    created_at: int
    live_job: str | None


class ClusterWhole(ClusterOut):
    """A cluster with its newest feedback and its jobs, newest first."""

    feedback: list[FeedbackOut]
    jobs: list[JobOut]


class RebalanceWanted(BaseModel):
    """Which project to look at."""

    model_config = ConfigDict(extra="forbid")
    project: str = Field(pattern=rf"^{PROJECT.pattern}$")


class Accepted(BaseModel):
    """It will be done."""

    status: Literal["accepted"] = "accepted"


class JobAsked(BaseModel):
    """The job that works on the cluster; `joined` when it did so before this was asked."""

    id: str
    state: str
    attempt: int
    joined: bool


@router.get("/clusters", responses={**BAD_REQUEST, **NOT_FOUND})
def list_clusters(
    project: ProjectId,
    sort: Literal["recent", "size"] = "size",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[ClusterOut]:
    """A project's clusters, the largest or the most recently reported first."""
    return page_of(ClusterOut, wiring.clusters().page(project, sort, position(cursor), limit))


@router.post("/clusters/rebalance", status_code=202, responses=NOT_FOUND)
def rebalance(wanted: RebalanceWanted) -> Accepted:
    """Cluster what is pending in a project now, without waiting for the schedule."""
    if wiring.projects().stats(wanted.project) is None:
        raise not_found("project")
    wiring.queue("CLUSTER_QUEUE_URL").send(json.dumps({"project": wanted.project}))
    return Accepted()


@router.get("/clusters/{cluster}", responses=NOT_FOUND)
def read_cluster(cluster: str, limit: Limit = 50) -> ClusterWhole:
    """A cluster with its newest `limit` items and its jobs."""
    project = ids.project_of(cluster, "cl")
    found = wiring.clusters().read(project, cluster, limit) if project else None
    if found is None:
        raise not_found("cluster")
    return ClusterWhole(**found)


@router.post("/clusters/{cluster}/fix", status_code=202, responses={**NOT_FOUND, **CONFLICT})
def fix_cluster(cluster: str, response: Response) -> JobAsked:
    """Have an agent work on a draft pull request; 200 when one does so already."""
    if ids.project_of(cluster, "cl") is None:
        raise not_found("cluster")
    try:
        asked = ask_fix(
            cluster,
            "api key",
            jobs=wiring.jobs(),
            queue=wiring.queue("FIX_QUEUE_URL"),
            now=now_ms(),
        )
    except NothingToFix as error:
        raise HTTPException(409, str(error)) from error
    if asked is None:
        raise not_found("cluster")
    if asked.joined:
        response.status_code = 200
    return JobAsked(**asked.job, joined=asked.joined)
