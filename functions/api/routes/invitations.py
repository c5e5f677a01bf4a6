"""How people come to belong to a project."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from routes.addressed import InvitationId, OfProject
from routes.auth import Who
from routes.errors import CONFLICT, NOT_FOUND, not_found, refusals
from soulcaster import wiring
from soulcaster.rules import api_key
from soulcaster.rules.access import Role
from soulcaster.rules.membership import LOGIN

router = APIRouter(tags=["invitations"])

Token = Annotated[str, Field(max_length=200)]


class InvitationNew(BaseModel):
    """What the invited person will be; with a `login` nobody else can accept."""

    model_config = ConfigDict(extra="forbid")
    role: Role
    login: str | None = Field(None, pattern=rf"^(?:{LOGIN.pattern})$")


class InvitationOut(BaseModel):
    """A pending invitation; times are milliseconds since 1970 in UTC."""

    id: str
    role: Role
    login: str | None
    made_by: str
    created_at: int
    expires_at: int


class InvitationText(InvitationOut):
    """An invitation with its text, which is shown this once and kept nowhere."""

    token: str


class TokenGiven(BaseModel):
    """The text that somebody was given."""

    model_config = ConfigDict(extra="forbid")
    token: Token


class Joined(BaseModel):
    """The project, and what the caller is in it now."""

    id: str
    name: str
    role: Role


@router.post(
    "/projects/{project}/invitations", status_code=201, responses={**NOT_FOUND, **CONFLICT}
)
def invite(who: Who, project: OfProject, wanted: InvitationNew) -> InvitationText:
    """Invite somebody; the text is good once, for seven days."""
    identifier = api_key.new_id(project, api_key.INVITATION)
    text = api_key.new_key(identifier, api_key.INVITATION)
    mac = wiring.mac(text)
    with refusals():
        made = wiring.members(who).invite(
            project, identifier, mac, wanted.role, wanted.login or "", who
        )
    return InvitationText(**made, token=text)


@router.get("/projects/{project}/invitations", responses=NOT_FOUND)
def list_invitations(who: Who, project: OfProject) -> list[InvitationOut]:
    """The invitations that are pending, newest first."""
    found = wiring.members(who).invitations(project, who.now)
    if found is None:
        raise not_found("project")
    return [InvitationOut(**one) for one in found]


@router.delete("/projects/{project}/invitations/{invitation}", status_code=204, responses=NOT_FOUND)
def take_invitation_back(who: Who, project: OfProject, invitation: InvitationId) -> None:
    """Void a pending invitation at once."""
    if not wiring.members(who).take_back(project, invitation, who.now):
        raise not_found("invitation")


@router.post("/invitations/accept", responses=NOT_FOUND)
def accept_invitation(who: Who, given: TokenGiven) -> Joined:
    """Join the project that the text invites to; nobody becomes less by it than they are."""
    # What is none goes to Redis too: whether the caller may ask at all is known only there.
    parts = api_key.parse(given.token, api_key.INVITATION) or api_key.Parts("", "")
    mac = wiring.mac(given.token)
    joined = wiring.members(who).accept(parts.project, parts.id, mac, who)
    if joined is None:
        raise not_found("invitation")
    return Joined(**joined)
