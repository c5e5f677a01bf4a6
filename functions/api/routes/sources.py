"""Where a project's feedback comes from."""

import base64
import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from routes.auth import Who
from routes.errors import NOT_FOUND, not_found
from routes.paging import ProjectId
from soulcaster import wiring
from soulcaster.rules import ids
from soulcaster.rules.ids import PROJECT
from soulcaster.rules.project import REPOSITORY
from soulcaster.rules.source import Source

router = APIRouter(tags=["sources"])


class SourceNew(BaseModel):
    """A source to make, or to change when the project has one of that name.

    `secret`: what the sender signs with. Sentry makes its own ("client secret"); for the
    others one is made here when none is given. `subreddits` are polled (reddit);
    `poll` fetches missed issues of the project's repository (github).
    """

    model_config = ConfigDict(extra="forbid")
    project: str = Field(pattern=rf"^{PROJECT.pattern}$")
    name: str = Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")
    kind: Literal["github", "reddit", "sentry", "standard"]
    secret: str | None = Field(None, min_length=16, max_length=200)
    subreddits: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{2,21}$")]] = Field(
        default_factory=list, max_length=20
    )
    poll: bool = False
    repository: str = Field("", pattern=rf"^(?:{REPOSITORY.pattern})?$")


class SourceOut(BaseModel):
    """A source, without its secrets."""

    id: str
    project: str
    name: str
    kind: str
    webhook: str | None = Field(description="The address to paste at the sender's")
    config: dict[str, Any]


class SourceMade(SourceOut):
    """A source just made, with its secret, which is not shown again."""

    secret: str | None


@router.get("/sources", responses=NOT_FOUND)
def list_sources(who: Who, project: ProjectId, request: Request) -> list[SourceOut]:
    """A project's sources."""
    found = wiring.projects(who).sources_in(project)
    if found is None:
        raise not_found("project")
    return [SourceOut(**_view(source, request)) for source in found]


@router.post("/sources", status_code=201, responses=NOT_FOUND)
def put_source(who: Who, wanted: SourceNew, request: Request) -> SourceMade:
    """Make a source; one of the same name is replaced, its secret too."""
    secret = None if wanted.kind == "reddit" else wanted.secret or _new_secret(wanted.kind)
    config: dict[str, Any] = {}
    if wanted.kind == "reddit":
        config = {"subreddits": wanted.subreddits}
    elif wanted.kind == "github" and wanted.poll:
        config = {"poll": True, "repository": wanted.repository}
    source = Source(
        id=ids.source_id(wanted.project, wanted.name),
        project=wanted.project,
        kind=wanted.kind,
        name=wanted.name,
        secrets=(secret,) if secret else (),
        config=config,
    )
    if not wiring.projects(who).put_source(source):
        raise not_found("project")
    return SourceMade(**_view(source, request), secret=secret)


def _new_secret(kind: str) -> str:
    if kind == "standard":  # 24 to 64 bytes, base64, as the specification asks
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(32)


def _view(source: Source, request: Request) -> dict[str, Any]:
    # Where this very request came in; the function can't be told, as the API names it first.
    address = f"{request.base_url}webhooks/{source.project}/{source.id}"
    return {
        "id": source.id,
        "project": source.project,
        "name": source.name,
        "kind": source.kind,
        "webhook": None if source.kind == "reddit" else address,
        "config": source.config,
    }
