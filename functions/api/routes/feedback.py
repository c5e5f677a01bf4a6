"""Feedback."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from routes.errors import BAD_REQUEST, NOT_FOUND, bad_request, not_found
from routes.paging import Cursor, Limit, PageOf, ProjectId
from soulcaster import wiring
from soulcaster.rules import ids

router = APIRouter(tags=["feedback"])


class FeedbackOut(BaseModel):
    """One item; times are milliseconds since 1970 in UTC.

    `why` says what decided its cluster: the score, the bar, and the nearest members.
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


@router.get("/feedback", responses=BAD_REQUEST)
def list_feedback(
    project: ProjectId, cursor: Cursor = None, limit: Limit = 50
) -> PageOf[FeedbackOut]:
    """A project's feedback, newest first."""
    try:
        page = wiring.feedback().page(project, cursor, limit)
    except ValueError as error:
        raise bad_request(error) from error
    items = [FeedbackOut(**item) for item in page.items]
    return PageOf(items=items, next_cursor=page.next_cursor, total=page.total)


@router.get("/feedback/{feedback}", responses=NOT_FOUND)
def read_feedback(feedback: str) -> FeedbackOut:
    """One item."""
    project = ids.project_of(feedback, "fb")
    found = wiring.feedback().read(project, feedback) if project else None
    if found is None:
        raise not_found("feedback")
    return FeedbackOut(**found)
