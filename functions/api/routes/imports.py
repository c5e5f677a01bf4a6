"""Imports of files with feedback."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, ConfigDict, Field

from routes.auth import Who
from routes.errors import BAD_REQUEST, CONFLICT, NOT_FOUND, not_found
from routes.paging import Cursor, Limit, PageOf, ProjectId, page_of, position
from soulcaster import wiring
from soulcaster.rules import ids
from soulcaster.rules.access import Caller
from soulcaster.rules.ids import PROJECT
from soulcaster.rules.imports import (
    ENDS,
    MAX_BYTES,
    MAX_REFUSED,
    UPLOAD_SECONDS,
    State,
    import_message,
    object_key,
)
from soulcaster.rules.rows import Format

router = APIRouter(tags=["imports"])


class ImportWanted(BaseModel):
    """A file that is about to be uploaded; `name` is for people to know it by."""

    model_config = ConfigDict(extra="forbid")
    project: str = Field(pattern=rf"^{PROJECT.pattern}$")
    format: Format
    name: str = Field(min_length=1, max_length=200)


class ImportOut(BaseModel):
    """How far a file is; times are milliseconds since 1970 in UTC.

    Of the `rows` read so far, `stored` are in the project, `new` of them for the first time, and
    `refused` are not. `reason` says why it is paused, and then goes on by itself, or has failed.
    """

    id: str
    project: str
    format: Format
    name: str
    state: State
    reason: str
    rows: int
    stored: int
    new: int
    refused: int
    bytes: int | None
    by: str
    created_at: int
    updated_at: int


class ImportMade(ImportOut):
    """An import that waits for its file.

    PUT the file, of at most `max_bytes`, to `upload` until `expires`; then start the import.
    """

    upload: str
    max_bytes: int
    expires: int


class RefusedRow(BaseModel):
    """A row that was not stored: the line where it begins, why, and its first 200 characters."""

    line: int
    reason: str
    text: str


@router.post("/imports", status_code=201, responses=NOT_FOUND)
def make_import(who: Who, wanted: ImportWanted) -> ImportMade:
    """Get an address to upload a file to."""
    made, imports = ids.new_import_id(wanted.project), wiring.imports(who)
    if not imports.add(made, wanted.format, wanted.name, who.name, who.now):
        raise not_found("project")
    return ImportMade(
        **_import(who, made).model_dump(),
        upload=wiring.bucket().upload_url(object_key(made), UPLOAD_SECONDS),
        max_bytes=MAX_BYTES,
        expires=who.now + UPLOAD_SECONDS * 1000,
    )


@router.get("/imports", responses={**BAD_REQUEST, **NOT_FOUND})
def list_imports(
    who: Who, project: ProjectId, cursor: Cursor = None, limit: Limit = 50
) -> PageOf[ImportOut]:
    """A project's imports, newest first."""
    return page_of(ImportOut, wiring.imports(who).page(project, position(cursor), limit))


@router.get("/imports/{import}", responses=NOT_FOUND)
def read_import(who: Who, identifier: Annotated[str, Path(alias="import")]) -> ImportOut:
    """One import, and how far it is."""
    return _import(who, identifier)


@router.get("/imports/{import}/refused", responses={**BAD_REQUEST, **NOT_FOUND})
def list_refused(
    who: Who,
    identifier: Annotated[str, Path(alias="import")],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[RefusedRow]:
    """The rows that were not stored, in the file's order; kept for 90 days."""
    _known(identifier)
    after, _, _ = position(cursor).partition(":")
    if after and not (after.isdecimal() and len(after) <= len(str(MAX_REFUSED))):
        raise HTTPException(400, "cursor: is none of ours")
    found = wiring.imports(who).refused(identifier, int(after or 0), limit)
    if found is None:
        raise not_found("import")
    return page_of(RefusedRow, found)


@router.post("/imports/{import}/start", status_code=202, responses={**NOT_FOUND, **CONFLICT})
def start_import(who: Who, identifier: Annotated[str, Path(alias="import")]) -> ImportOut:
    """Import the file that was uploaded; to say it again of one that runs changes nothing."""
    _known(identifier)
    started = wiring.imports(who).start(identifier, who.now)
    if started.outcome == "missing":
        raise not_found("import")
    if started.outcome == "ended":
        raise HTTPException(409, f"import: it has ended: {started.state}")
    if started.outcome == "off":
        raise HTTPException(409, "import: the source that files come by is switched off")
    wiring.queue("IMPORT_QUEUE_URL").send(import_message(identifier, started.turn))
    return _import(who, identifier)


@router.post("/imports/{import}/cancel", responses={**NOT_FOUND, **CONFLICT})
def cancel_import(who: Who, identifier: Annotated[str, Path(alias="import")]) -> ImportOut:
    """End an import; what it has stored stays. To say it again changes nothing."""
    _known(identifier)
    state = wiring.imports(who).cancel(identifier, who.now)
    if not state:
        raise not_found("import")
    if state in ENDS and state != "cancelled":
        raise HTTPException(409, f"import: it has ended: {state}")
    return _import(who, identifier)


def _import(who: Caller, identifier: str) -> ImportOut:
    _known(identifier)
    found = wiring.imports(who).read(identifier)
    if found is None:
        raise not_found("import")
    return ImportOut(**found)


def _known(identifier: str) -> None:
    if ids.project_of(identifier, "imp") is None:
        raise not_found("import")
