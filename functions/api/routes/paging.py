"""What every list takes and gives."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from soulcaster.rules.ids import PROJECT

ProjectId = Annotated[str, Query(pattern=rf"^{PROJECT.pattern}$", description="A project's id")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


class PageOf[T](BaseModel):
    """A page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None
    total: int
