"""Feedback."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from routes.auth import Who
from routes.errors import BAD_REQUEST, NOT_FOUND, not_found
from routes.paging import Cursor, Limit, PageOf, ProjectId, page_of, position
from soulcaster import wiring
from soulcaster.rules import ids

router = APIRouter(tags=["feedback"])


class FeedbackOut(BaseModel):
    """One item; times are milliseconds since 1970 in UTC. Lists cut `body` at 2,000 characters.

    `why` says what decided its cluster: the score, the bar, and the nearest members.
    `occurrences` counts the reports in its evidence, too; `evidence_count` is all of that.
    """

    id: str
    project: str
    source: str
    source_id: str
    channel: str
    external_id: str
    title: str
    body: str
    author: str | None
    url: str | None
    severity: str | None
    details: dict[str, Any]
    open: bool
    occurrences: int
    cluster: str | None
    created_at: int
    received_at: int
    why: dict[str, Any] | None
    evidence_count: int


class EvidenceOut(BaseModel):
    """What was said about an item later, such as a comment, cut at 2,000 characters.

    `reports`: its author has the problem, too.
    """

    id: str
    author: str | None
    body: str
    url: str | None
    at: int
    reports: bool


class FeedbackWhole(FeedbackOut):
    """An item with its evidence, the oldest first; no more than the first 200."""

    evidence: list[EvidenceOut]


@router.get("/feedback", responses={**BAD_REQUEST, **NOT_FOUND})
def list_feedback(
    who: Who, project: ProjectId, cursor: Cursor = None, limit: Limit = 50
) -> PageOf[FeedbackOut]:
    """A project's feedback, newest first."""
    return page_of(FeedbackOut, wiring.feedback(who).page(project, position(cursor), limit))


@router.get("/feedback/{feedback}", responses=NOT_FOUND)
def read_feedback(who: Who, feedback: str) -> FeedbackWhole:
    """One item with what was said about it."""
    project = ids.project_of(feedback, "fb")
    found = wiring.feedback(who).read(project, feedback) if project else None
    if found is None:
        raise not_found("feedback")
    return FeedbackWhole(**found)


@router.delete("/feedback/{feedback}", status_code=204, responses=NOT_FOUND)
def delete_feedback(who: Who, feedback: str) -> None:
    """Remove an item for good: nothing of it is kept, and its source can't bring it back."""
    project = ids.project_of(feedback, "fb")
    if project is None or not wiring.feedback(who).delete(project, feedback, who.now):
        raise not_found("feedback")
