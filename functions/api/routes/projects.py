"""Projects."""

from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from routes.errors import CONFLICT, NOT_FOUND, not_found
from soulcaster import wiring
from soulcaster.rules.ids import PROJECT
from soulcaster.rules.project import REPOSITORY, Project

router = APIRouter(tags=["projects"])

Repository = Annotated[
    str, Field(pattern=rf"^(?:{REPOSITORY.pattern})?$", description="owner/name, or empty")
]
# What git takes as a branch, without its rarer forms.
Branch = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*(?:[./][A-Za-z0-9_-]+)*$", max_length=100)
]


class ProjectChange(BaseModel):
    """What can be changed about a project."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100)
    repository: Repository = ""
    base: Branch = Field("main", description="The branch that fixes go to")


class ProjectNew(ProjectChange):
    """A project to make."""

    id: str = Field(
        pattern=rf"^{PROJECT.pattern}$", description="For ever; in every id and address"
    )


class ProjectOut(BaseModel):
    """A project."""

    id: str
    name: str
    repository: str
    base: str


@router.get("/projects")
def list_projects() -> list[ProjectOut]:
    """Every project, by id."""
    return [ProjectOut.model_validate(p, from_attributes=True) for p in wiring.projects().all()]


@router.post("/projects", status_code=201, responses=CONFLICT)
def create_project(wanted: ProjectNew) -> ProjectOut:
    """Make a project."""
    project = Project(**wanted.model_dump())
    if not wiring.projects().put(project, new=True):
        raise HTTPException(409, f"id: there is a project {wanted.id} already")
    return ProjectOut(**wanted.model_dump())


@router.put("/projects/{project}", responses=NOT_FOUND)
def change_project(project: str, wanted: ProjectChange) -> ProjectOut:
    """Change a project's settings, all of them."""
    changed = Project(id=project, **wanted.model_dump())
    if not PROJECT.fullmatch(project) or not wiring.projects().put(changed, new=False):
        raise not_found("project")
    return ProjectOut(id=project, **wanted.model_dump())
