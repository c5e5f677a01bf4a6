"""How a project's feedback is grouped, and what corrections have taught."""

from fastapi import APIRouter
from pydantic import BaseModel

from routes.auth import Who
from routes.errors import NOT_FOUND, not_found
from soulcaster import wiring
from soulcaster.rules.grouping.lens import KINDS, lenses
from soulcaster.rules.grouping.taught import lessons
from soulcaster.rules.ids import PROJECT
from soulcaster.rules.text_kind import Kind
from soulcaster.settings import setting

router = APIRouter(tags=["projects"])


class Bar(BaseModel):
    """How alike texts of one kind have to be to be grouped, on that kind's own scale.

    `base` is the shipped bar, and `offset` the share of it that the project's live corrections
    have moved it by: `merges` lower it, `aparts`, which are splits and moves, raise it. It is at
    most 0.2 either way. `bar` is what comes of it.
    """

    base: float
    offset: float
    bar: float
    merges: int
    aparts: int


class Grouping(BaseModel):
    """What decides which cluster an item belongs to.

    `model` is the embedding model and `dimensions` its vectors' length. Clusters are looked at
    again as a whole from time to time: `looks` times so far, last at `looked_at` in milliseconds
    since 1970 in UTC; `since` is how many items were clustered after that.
    """

    model: str
    dimensions: int
    kinds: dict[Kind, Bar]
    looks: int
    looked_at: int | None
    since: int


@router.get("/projects/{project}/grouping", responses=NOT_FOUND)
def read_grouping(who: Who, project: str) -> Grouping:
    """The bar of each kind of text, and what corrections have taught."""
    known = wiring.looks(who).learned(project) if PROJECT.fullmatch(project) else None
    if known is None:
        raise not_found("project")
    shipped, taught = lenses(), lessons(known.taught)
    return Grouping(
        model=setting("EMBEDDING_MODEL"),
        dimensions=int(setting("EMBEDDING_DIMENSIONS")),
        kinds={
            kind: Bar(
                base=shipped[kind].bar,
                offset=round(taught[kind].offset, 4),
                bar=round(shipped[kind].bar * (1 + taught[kind].offset), 4),
                merges=taught[kind].merges,
                aparts=taught[kind].aparts,
            )
            for kind in KINDS
        },
        looks=known.looks,
        looked_at=known.looked_at or None,
        since=known.since,
    )
