"""The people of a project."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from routes.addressed import OfProject, PersonId
from routes.auth import Who
from routes.errors import CONFLICT, NOT_FOUND, not_found, refusals
from soulcaster import wiring
from soulcaster.rules.access import Role

router = APIRouter(tags=["members"])


class MemberOut(BaseModel):
    """Somebody who belongs to a project, `since` when in milliseconds since 1970 in UTC.

    `name` is what they were called when they joined.
    """

    id: str
    name: str
    role: Role
    since: int


class RoleWanted(BaseModel):
    """What the member is from now on."""

    model_config = ConfigDict(extra="forbid")
    role: Role


@router.get("/projects/{project}/members", responses=NOT_FOUND)
def list_members(who: Who, project: OfProject) -> list[MemberOut]:
    """Everybody who belongs to the project, by name."""
    found = wiring.members(who).all(project)
    if found is None:
        raise not_found("project")
    return [MemberOut(**one) for one in found]


@router.delete(
    "/projects/{project}/members/me", status_code=204, responses={**NOT_FOUND, **CONFLICT}
)
def leave_project(who: Who, project: OfProject) -> None:
    """Leave the project; its last owner has to stay."""
    with refusals():
        wiring.members(who).remove(project, who.id, who.now)


@router.put(
    "/projects/{project}/members/{person}", status_code=204, responses={**NOT_FOUND, **CONFLICT}
)
def change_role(who: Who, project: OfProject, person: PersonId, wanted: RoleWanted) -> None:
    """Say what a member may do; the last owner stays one."""
    with refusals():
        wiring.members(who).give_role(project, person, wanted.role, who.now)


@router.delete(
    "/projects/{project}/members/{person}", status_code=204, responses={**NOT_FOUND, **CONFLICT}
)
def remove_member(who: Who, project: OfProject, person: PersonId) -> None:
    """Take somebody out of the project at once; its last owner has to stay."""
    with refusals():
        wiring.members(who).remove(project, person, who.now)
