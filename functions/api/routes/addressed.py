"""What the variables of paths have to look like; what does not is not there."""

from typing import Annotated

from fastapi import Depends, Path

from routes.errors import not_found
from soulcaster.rules import api_key
from soulcaster.rules.ids import PROJECT
from soulcaster.rules.membership import PERSON


def _project(project: Annotated[str, Path(description="A project's id")]) -> str:
    if not PROJECT.fullmatch(project):
        raise not_found("project")
    return project


OfProject = Annotated[str, Depends(_project)]


def _key(project: OfProject, key: Annotated[str, Path(description="A key's id")]) -> str:
    if not api_key.is_id(key, project):
        raise not_found("key")
    return key


def _invitation(
    project: OfProject, invitation: Annotated[str, Path(description="An invitation's id")]
) -> str:
    if not api_key.is_id(invitation, project, api_key.INVITATION):
        raise not_found("invitation")
    return invitation


def _person(person: Annotated[str, Path(description="A person's id, as github:583231")]) -> str:
    if not PERSON.fullmatch(person):
        raise not_found("member")
    return person


KeyId = Annotated[str, Depends(_key)]
InvitationId = Annotated[str, Depends(_invitation)]
PersonId = Annotated[str, Depends(_person)]
