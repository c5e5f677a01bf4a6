"""API keys of a project."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from routes.addressed import KeyId, OfProject
from routes.auth import Who
from routes.errors import BAD_REQUEST, CONFLICT, NOT_FOUND, not_found, refusals
from routes.paging import Cursor, Limit, PageOf, page_of, position
from soulcaster import wiring
from soulcaster.edges.clock import now_ms
from soulcaster.edges.key_store import Stronger
from soulcaster.rules import api_key
from soulcaster.rules.access import SCOPES, Scope

router = APIRouter(tags=["keys"])

DAY_MS = 86_400_000
DAYS = 3_650


def _to_come(at: int) -> int:
    if not now_ms() < at <= now_ms() + DAYS * DAY_MS:
        raise ValueError(f"is not within the next {DAYS} days")
    return at


class KeyNew(BaseModel):
    """A key to make. It lives for ever, until `expires_at` (ms) or for `expires_in_days`."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))
    expires_at: Annotated[int, AfterValidator(_to_come)] | None = None
    expires_in_days: int | None = Field(None, ge=1, le=DAYS)

    @model_validator(mode="after")
    def _once(self) -> "KeyNew":
        if self.expires_at and self.expires_in_days:
            raise ValueError("expires_at or expires_in_days, not both")
        return self


class RotationWanted(BaseModel):
    """For how long the old text is accepted too."""

    model_config = ConfigDict(extra="forbid")
    overlap_seconds: int = Field(default=86_400, ge=0, le=604_800)


class KeyOut(BaseModel):
    """A key without its text; times are milliseconds since 1970 in UTC.

    `last_used` is right to the minute. Until `rotating_until` the text before the last rotation is
    accepted too.
    """

    id: str
    name: str
    scopes: list[Scope]
    made_by: str
    created_at: int
    expires_at: int | None
    last_used: int | None
    revoked_at: int | None
    rotating_until: int | None


class KeyText(KeyOut):
    """A key with its new text, which is shown this once and kept nowhere."""

    key: str


@router.post("/projects/{project}/keys", status_code=201, responses={**NOT_FOUND, **CONFLICT})
def make_key(who: Who, project: OfProject, wanted: KeyNew) -> KeyText:
    """Make a key. A key can make none that may do more or lives longer than itself: 403."""
    identifier = api_key.new_id(project)
    text = api_key.new_key(identifier)
    expires = wanted.expires_at
    if wanted.expires_in_days:
        expires = who.now + wanted.expires_in_days * DAY_MS
    with _within_own_strength():
        made = wiring.keys(who).add(
            project,
            identifier,
            wiring.mac(text),
            name=wanted.name,
            scopes=[scope for scope in SCOPES if scope in wanted.scopes],
            expires=expires,
            made_by=who.name,
            now=who.now,
        )
    return KeyText(**made, key=text)


@router.get("/projects/{project}/keys", responses={**BAD_REQUEST, **NOT_FOUND})
def list_keys(
    who: Who, project: OfProject, cursor: Cursor = None, limit: Limit = 50
) -> PageOf[KeyOut]:
    """A project's keys, newest first, also those that have ended."""
    return page_of(KeyOut, wiring.keys(who).page(project, position(cursor), limit, who.now))


@router.post("/projects/{project}/keys/{key}/rotate", responses={**NOT_FOUND, **CONFLICT})
def rotate_key(
    who: Who, project: OfProject, key: KeyId, wanted: RotationWanted | None = None
) -> KeyText:
    """Give a key a new text. The old one is accepted for a while, an older one no more.

    A key can rotate none that may do more or lives longer than itself: 403.
    """
    text = api_key.new_key(key)
    overlap = (wanted or RotationWanted()).overlap_seconds
    with _within_own_strength():
        rotated = wiring.keys(who).rotate(
            project, key, wiring.mac(text), who.now + overlap * 1000, who.now
        )
    return KeyText(**rotated, key=text)


@router.delete("/projects/{project}/keys/{key}", status_code=204, responses=NOT_FOUND)
def revoke_key(who: Who, project: OfProject, key: KeyId) -> None:
    """End a key at once; to say it again changes nothing."""
    if not wiring.keys(who).revoke(project, key, who.now):
        raise not_found("key")


@contextmanager
def _within_own_strength() -> Iterator[None]:
    """What is not there is a 404, what can't be done now a 409, what is too much a 403."""
    try:
        with refusals():
            yield
    except Stronger as error:
        detail = "a key can't make or rotate one that may do more, or lives longer, than itself"
        raise HTTPException(403, detail) from error
