"""Where a project's feedback comes from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from routes.auth import Who
from routes.errors import CONFLICT, NOT_FOUND, at_fault, not_found, refusals
from routes.kinds import KindOut, kinds
from routes.paging import ProjectId
from routes.source_shapes import Rotation, SourceChange, SourceMade, SourceNew, SourceOut
from soulcaster import wiring
from soulcaster.edges.source_store import Found, Health
from soulcaster.rules import ids
from soulcaster.rules.built_in import BUILT_IN
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.rotation import OVERLAP_SECONDS
from soulcaster.rules.source import Source
from soulcaster.use_cases import sources as use_case

router = APIRouter(tags=["sources"])


@router.get("/source-kinds")
def list_kinds(who: Who) -> list[KindOut]:
    """The kinds of source that there are."""
    wiring.projects(who).admit("")
    return kinds()


@router.get("/sources", responses=NOT_FOUND)
def list_sources(who: Who, project: ProjectId, request: Request) -> list[SourceOut]:
    """A project's sources by id, with those that every project has."""
    found = wiring.sources(who).sources_in(project)
    if found is None:
        raise not_found("project")
    return [SourceOut(**_view(one.source, one.health, who.now, request)) for one in found]


@router.post("/sources", status_code=201, responses={**NOT_FOUND, **CONFLICT})
def make_source(who: Who, wanted: SourceNew, request: Request) -> SourceMade:
    """Make a source; the answer has its secret, which is not shown again."""
    source = Source(
        id=ids.source_id(wanted.project, wanted.name),
        project=wanted.project,
        kind=wanted.kind,
        name=wanted.name,
        config=wanted.config,
        enabled=wanted.enabled,
        filters=wanted.filters.rule(),
        per_minute=wanted.per_minute,
    )
    with _refusals():
        made = use_case.make(source, wanted.secret, sources=wiring.sources(who), now=who.now)
    if made is None:
        raise not_found("project")
    return _made(Found(made, "", Health()), who.now, request)


@router.get("/sources/{source}", responses=NOT_FOUND)
def read_source(who: Who, source: str, request: Request) -> SourceOut:
    """One source."""
    project = ids.project_of(source, "src")
    found = wiring.sources(who).read(project, source) if project else None
    if found is None:
        raise not_found("source")
    return SourceOut(**_view(found.source, found.health, who.now, request))


@router.patch("/sources/{source}", responses={**NOT_FOUND, **CONFLICT})
def change_source(who: Who, source: str, wanted: SourceChange, request: Request) -> SourceOut:
    """Switch a source on or off, or change what it is filtered by, its config or its rate."""
    with _refusals():
        found = use_case.change(
            source,
            sources=wiring.sources(who),
            now=who.now,
            config=wanted.config,
            enabled=wanted.enabled,
            filters=wanted.filters.rule() if wanted.filters else None,
            per_minute=wanted.per_minute,
        )
    if found is None:
        raise not_found("source")
    return SourceOut(**_view(found.source, found.health, who.now, request))


@router.delete("/sources/{source}", status_code=204, responses={**NOT_FOUND, **CONFLICT})
def remove_source(who: Who, source: str) -> None:
    """Remove a source. The feedback that came from it stays."""
    with _refusals():
        removed = use_case.remove(source, sources=wiring.sources(who), now=who.now)
    if not removed:
        raise not_found("source")


@router.post("/sources/{source}/secret", responses={**NOT_FOUND, **CONFLICT})
def rotate_secret(
    who: Who, source: str, request: Request, wanted: Annotated[Rotation | None, Body()] = None
) -> SourceMade:
    """Replace a source's secret; the answer has the new one, which is not shown again."""
    stores, wanted = wiring.sources(who), wanted or Rotation(overlap_seconds=OVERLAP_SECONDS)
    with _refusals():
        found = use_case.rotate(
            source, wanted.secret, wanted.overlap_seconds, sources=stores, now=who.now
        )
    if found is None:
        raise not_found("source")
    return _made(found, who.now, request)


@contextmanager
def _refusals() -> Iterator[None]:
    """What the use cases refuse, as an answer: 422 naming the field, or 409."""
    try:
        with refusals():
            yield
    except Unreadable as error:
        raise at_fault(error) from error


def _made(found: Found, now: int, request: Request) -> SourceMade:
    view = _view(found.source, found.health, now, request)
    return SourceMade(**view, secret=next(iter(found.source.secrets), None))


def _view(source: Source, health: Health, now: int, request: Request) -> dict[str, Any]:
    signed = KINDS[source.kind].SIGNING != "none"
    # Where this very request came in; the function can't be told, as the API names it first.
    address = f"{request.base_url}webhooks/{source.project}/{source.id}"
    retiring = [one for one in source.retiring if now < one.until]
    return {
        "id": source.id,
        "project": source.project,
        "kind": source.kind,
        "name": source.name,
        "enabled": source.enabled,
        "per_minute": source.per_minute,
        "config": source.config,
        "built_in": source.name in BUILT_IN,
        "filters": asdict(source.filters),
        "webhook": address if signed else None,
        "secrets": [
            *({"last4": one[-4:], "until": None} for one in source.secrets),
            *({"last4": one.secret[-4:], "until": one.until} for one in retiring),
        ],
        "health": asdict(health),
    }
