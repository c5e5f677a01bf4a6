"""Counters."""

from fastapi import APIRouter
from pydantic import BaseModel

from routes.errors import NOT_FOUND, not_found
from routes.paging import ProjectId
from soulcaster import wiring

router = APIRouter(tags=["stats"])


class Stats(BaseModel):
    """How much feedback is stored, in clusters and waiting, and how many jobs are in a state."""

    stored: int
    clustered: int
    pending: int
    clusters: int
    by_source: dict[str, int]
    jobs: dict[str, int]


@router.get("/stats", responses=NOT_FOUND)
def read_stats(project: ProjectId) -> Stats:
    """A project's counters."""
    found = wiring.projects().stats(project)
    if found is None:
        raise not_found("project")
    return Stats(**found)
