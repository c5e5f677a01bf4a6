"""Who is asking, and whose the installation is."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from routes.addressed import PersonId
from routes.auth import Who
from routes.errors import CONFLICT, NOT_FOUND, not_found, refusals
from routes.invitations import TokenGiven
from soulcaster import wiring
from soulcaster.rules.access import Role, Scope

router = APIRouter(tags=["me"])


class MyProject(BaseModel):
    """A project, and what the caller is in it; a key has no role."""

    id: str
    name: str
    role: Role | None


class MeOut(BaseModel):
    """Who asks: a person with a login for a name, or a key.

    `owner` is of the installation, and `claimed` says whether it has one at all. An owner of the
    installation is one of every project. The last three are a key's.
    """

    by: Literal["person", "key"]
    id: str
    name: str
    owner: bool
    claimed: bool
    projects: list[MyProject]
    project: str | None
    scopes: list[Scope] | None
    expires_at: int | None


@router.get("/me")
def read_me(who: Who) -> MeOut:
    """Who the credential is, and what they may see."""
    return MeOut(**wiring.installation(who).me(who))


class OwnerOut(BaseModel):
    """An owner of the installation; `since` is in milliseconds since 1970 in UTC."""

    id: str
    name: str
    since: int


@router.get("/installation/owners")
def list_owners(who: Who) -> list[OwnerOut]:
    """The installation's owners."""
    return [OwnerOut(**owner) for owner in wiring.installation(who).owners()]


@router.delete(
    "/installation/owners/{person}", status_code=204, responses={**NOT_FOUND, **CONFLICT}
)
def remove_owner(who: Who, person: PersonId) -> None:
    """Have a person own the installation no more; they stay members of projects. The last stays."""
    with refusals():
        wiring.installation(who).remove(person, who.now)


@router.post("/installation/owner", status_code=204, responses=NOT_FOUND)
def become_owner(who: Who, given: TokenGiven) -> None:
    """Become an owner of the installation by the link that `./soulcaster owner-link` made."""
    mac = wiring.mac(given.token)
    if not wiring.installation(who).claim(mac, who):
        raise not_found("link")
