"""What people and keys changed."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from routes.auth import Who
from routes.errors import BAD_REQUEST, NOT_FOUND
from routes.paging import Cursor, Limit, PageOf, ProjectId, page_of, position
from soulcaster import wiring

router = APIRouter(tags=["audit"])


class ChangeOut(BaseModel):
    """A change, `at` milliseconds since 1970 in UTC: who did what to which.

    `who` is a person's or a key's id and `name` what they were called. `before` and `after` are
    what of it changed, as far as that says something.
    """

    id: int
    at: int
    by: Literal["person", "key"]
    who: str
    name: str
    what: str
    on: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@router.get("/audit", responses={**BAD_REQUEST, **NOT_FOUND})
def list_changes(
    who: Who, project: ProjectId, cursor: Cursor = None, limit: Limit = 50
) -> PageOf[ChangeOut]:
    """What people and keys changed in a project, newest first."""
    return page_of(ChangeOut, wiring.audit(who).page(project, position(cursor), limit))


@router.get("/installation/audit", responses=BAD_REQUEST)
def list_changes_of_installation(
    who: Who, cursor: Cursor = None, limit: Limit = 50
) -> PageOf[ChangeOut]:
    """Who became an owner of the installation, newest first."""
    return page_of(ChangeOut, wiring.audit(who).installation(position(cursor), limit))
