"""What people do about the clustering."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from routes.auth import Who
from routes.errors import BAD_REQUEST, CONFLICT, NOT_FOUND, refusals
from routes.paging import Cursor, Limit, PageOf, ProjectId, page_of, position
from soulcaster import wiring
from soulcaster.edges.clock import now_ms
from soulcaster.edges.correction_store import Corrected
from soulcaster.rules.access import Caller
from soulcaster.rules.correction import (
    MAX_CLUSTERS,
    MAX_ITEMS,
    WHY_CHARS,
    Decision,
    Verb,
)
from soulcaster.rules.text import clean
from soulcaster.use_cases import correct

router = APIRouter(tags=["corrections"])

Id = Annotated[str, Field(max_length=100)]


class Reason(BaseModel):
    """Why, in the person's words; may be empty."""

    model_config = ConfigDict(extra="forbid")
    why: str = Field("", max_length=WHY_CHARS)


class MergeWanted(Reason):
    """Which clusters go into the one of the address."""

    clusters: list[Id] = Field(min_length=1, max_length=MAX_CLUSTERS)


class SplitWanted(Reason):
    """Which items leave for a new cluster of their own."""

    items: list[Id] = Field(min_length=1, max_length=MAX_ITEMS)


class MoveWanted(Reason):
    """Which item leaves for which cluster."""

    item: Id
    to: Id


class UndoneOut(BaseModel):
    """Who took a correction back."""

    who: str
    at: int
    why: str


class CorrectionOut(BaseModel):
    """What a person changed; times are milliseconds since 1970 in UTC.

    Items went `into` one cluster `out_of` others: those that a merge put into it, or the one that a
    split or a move took `items` from.
    """

    id: str
    verb: Verb
    into: str
    out_of: list[str]
    items: list[str]
    who: str
    at: int
    why: str
    undone: UndoneOut | None


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": CorrectionOut, "description": "It was done before, by this correction"},
    **NOT_FOUND,
    **CONFLICT,
}


@router.post("/clusters/{cluster}/merge", status_code=201, responses=_ANSWERS)
def merge_clusters(
    who: Who, cluster: str, wanted: MergeWanted, response: Response
) -> CorrectionOut:
    """Put clusters into this one; no later clustering takes apart what is in it now."""
    return _done(who, response, wanted, correct.merge, cluster, wanted.clusters)


@router.post("/clusters/{cluster}/split", status_code=201, responses=_ANSWERS)
def split_cluster(who: Who, cluster: str, wanted: SplitWanted, response: Response) -> CorrectionOut:
    """Take items out into a new cluster; no later clustering puts them back."""
    return _done(who, response, wanted, correct.split, cluster, wanted.items)


@router.post("/clusters/{cluster}/move", status_code=201, responses=_ANSWERS)
def move_item(who: Who, cluster: str, wanted: MoveWanted, response: Response) -> CorrectionOut:
    """Move an item of this cluster into another one; no later clustering moves it back."""
    return _done(who, response, wanted, correct.move, cluster, wanted.item, wanted.to)


@router.post("/corrections/{correction}/undo", responses={**NOT_FOUND, **CONFLICT})
def undo_correction(who: Who, correction: str, wanted: Reason, response: Response) -> CorrectionOut:
    """Take a correction back, in any order; all others stay as they are."""
    return _done(who, response, wanted, correct.undo, correction)


@router.get("/corrections", responses={**BAD_REQUEST, **NOT_FOUND})
def list_corrections(
    who: Who, project: ProjectId, cursor: Cursor = None, limit: Limit = 50
) -> PageOf[CorrectionOut]:
    """A project's corrections, newest first, also those that were undone."""
    return page_of(CorrectionOut, wiring.corrections(who).page(project, position(cursor), limit))


def _done(
    who: Caller, response: Response, given: Reason, verb: Callable[..., Corrected], *about: Any
) -> CorrectionOut:
    decided = Decision(who.name, clean(given.why, WHY_CHARS), now_ms())
    with refusals():
        corrected = verb(*about, decided, corrections=wiring.corrections(who))
    if not corrected.made:
        response.status_code = 200
    return CorrectionOut(**corrected.correction)
