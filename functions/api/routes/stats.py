"""Counters, and what they were day by day."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from routes.auth import Who
from routes.errors import NOT_FOUND, not_found
from routes.paging import ProjectId
from soulcaster import wiring
from soulcaster.edges.clock import now_ms
from soulcaster.rules.ids import PROJECT

router = APIRouter(tags=["stats"])


class Stats(BaseModel):
    """How much feedback is stored, in clusters and waiting, and how many jobs are in a state."""

    stored: int
    clustered: int
    pending: int
    clusters: int
    by_source: dict[str, int]
    jobs: dict[str, int]


class Trend(BaseModel):
    """A project's reports on each of the last UTC days, oldest first; the last one is today."""

    reports: list[int]


@router.get("/stats", responses=NOT_FOUND)
def read_stats(who: Who, project: ProjectId) -> Stats:
    """A project's counters."""
    found = wiring.projects(who).stats(project)
    if found is None:
        raise not_found("project")
    return Stats(**found)


@router.get("/projects/{project}/trend", responses=NOT_FOUND)
def read_trend(who: Who, project: str, days: Literal["30", "90"] = "30") -> Trend:
    """How much was reported in a project, day by day."""
    known = PROJECT.fullmatch(project)
    found = wiring.cluster_list(who).trend(project, int(days), now_ms()) if known else None
    if found is None:
        raise not_found("project")
    return Trend(reports=found)
