"""What every list takes and gives."""

from typing import Annotated, Any

from fastapi import HTTPException, Query
from pydantic import BaseModel

from routes.errors import not_found
from soulcaster.rules.ids import PROJECT
from soulcaster.rules.page import Page, decode_cursor

ProjectId = Annotated[str, Query(pattern=rf"^{PROJECT.pattern}$", description="A project's id")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


def position(cursor: str | None) -> str:
    """Where a page starts; 400 for a cursor that is none of ours."""
    try:
        return decode_cursor(cursor)
    except ValueError as error:
        raise HTTPException(400, str(error)) from error


class PageOf[T](BaseModel):
    """A page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None
    total: int


def page_of[T: BaseModel](model: type[T], page: Page[dict[str, Any]] | None) -> PageOf[T]:
    """A stored page as it is shown; 404 when there is no such project."""
    if page is None:
        raise not_found("project")
    items = [model(**item) for item in page.items]
    return PageOf(items=items, next_cursor=page.next_cursor, total=page.total)
