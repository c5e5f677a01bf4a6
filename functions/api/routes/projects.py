"""Projects."""

from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from routes.auth import Who
from routes.errors import CONFLICT, NOT_FOUND, not_found
from soulcaster import wiring
from soulcaster.rules.day import day_of
from soulcaster.rules.ids import PROJECT
from soulcaster.rules.patch import MAX_BYTES, MAX_FILES
from soulcaster.rules.project import PUBLISHES, REPOSITORY, Project, Verdict

router = APIRouter(tags=["projects"])

Repository = Annotated[
    str, Field(pattern=rf"^(?:{REPOSITORY.pattern})?$", description="owner/name, or empty")
]
# What git takes as a branch, without its rarer forms.
Branch = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*(?:[./][A-Za-z0-9_-]+)*$", max_length=100)
]

Command = Annotated[str, Field(max_length=1_000, pattern=r"^[^\x00]*$")]


class ProjectChange(BaseModel):
    """What can be changed about a project."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100)
    repository: Repository = ""
    base: Branch = Field("main", description="The branch that fixes go to")
    test_setup: Command = Field("", description="Run in the repository's root before its tests")
    test_command: Command = Field(
        "", description="Runs the repository's tests; empty to go by conventions"
    )
    publishes: list[Verdict] = Field(
        list(PUBLISHES), max_length=4, description="What may become a pull request"
    )
    plan_required: bool = Field(False, description="Nothing is fixed without an approved plan")
    jobs_at_once: int = Field(2, ge=1, le=100)
    jobs_per_day: int = Field(20, ge=0, le=10_000, description="Of a UTC day")
    dollars_per_day: float = Field(
        50, ge=0, le=100_000, description="Of a UTC day; a job's dollars are set aside at its start"
    )
    dollars_per_job: float = Field(5, ge=0.01, le=1_000)
    minutes_per_job: int = Field(30, ge=1, le=240, description="Of an attempt, tests included")
    patch_files: int = Field(40, ge=1, le=MAX_FILES, description="Changed by a fix at most")
    patch_bytes: int = Field(400_000, ge=1, le=MAX_BYTES)
    items_per_day: int = Field(
        50_000, ge=0, le=10_000_000, description="New items of feedback of a UTC day"
    )
    pending_items: int = Field(
        20_000, ge=0, le=1_000_000, description="Items that wait to be clustered"
    )


class ProjectNew(ProjectChange):
    """A project to make."""

    id: str = Field(
        pattern=rf"^{PROJECT.pattern}$", description="For ever; in every id and address"
    )


class ProjectOut(BaseModel):
    """A project; see docs/limits.md and docs/proof.md for its settings."""

    id: str
    name: str
    repository: str
    base: str
    test_setup: str
    test_command: str
    publishes: list[Verdict]
    plan_required: bool
    jobs_at_once: int
    jobs_per_day: int
    dollars_per_day: float
    dollars_per_job: float
    minutes_per_job: int
    patch_files: int
    patch_bytes: int
    items_per_day: int
    pending_items: int


class IntakeOut(BaseModel):
    """What a project has taken in on this UTC day and how many of its items wait, with the limits.

    `items` are new ones; `refused` are deliveries that were answered 429.
    """

    day: str
    items: int
    refused: int
    items_per_day: int
    pending: int
    pending_items: int


@router.get("/projects")
def list_projects(who: Who) -> list[ProjectOut]:
    """The caller's projects, by id: every one for an owner of the installation, none for a key
    that may not read.
    """
    return [ProjectOut.model_validate(p, from_attributes=True) for p in wiring.projects(who).all()]


@router.post("/projects", status_code=201, responses=CONFLICT)
def create_project(who: Who, wanted: ProjectNew) -> ProjectOut:
    """Make a project."""
    project = Project(**wanted.model_dump())
    if not wiring.projects(who).put(project, new=True, now=who.now):
        raise HTTPException(409, f"id: there is a project {wanted.id} already")
    return ProjectOut(**wanted.model_dump())


@router.get("/projects/{project}", responses=NOT_FOUND)
def read_project(who: Who, project: str) -> ProjectOut:
    """One project with its settings."""
    found = wiring.projects(who).read(project) if PROJECT.fullmatch(project) else None
    if found is None:
        raise not_found("project")
    return ProjectOut.model_validate(found, from_attributes=True)


@router.get("/projects/{project}/intake", responses=NOT_FOUND)
def read_intake(who: Who, project: str) -> IntakeOut:
    """What came in today, and how far that is from the quotas."""
    known = PROJECT.fullmatch(project)
    found = wiring.projects(who).intake(project, day_of(who.now)) if known else None
    if found is None:
        raise not_found("project")
    return IntakeOut.model_validate(found, from_attributes=True)


@router.put("/projects/{project}", responses=NOT_FOUND)
def change_project(who: Who, project: str, wanted: ProjectChange) -> ProjectOut:
    """Change a project's settings, all of them."""
    changed = Project(id=project, **wanted.model_dump())
    if not PROJECT.fullmatch(project) or not wiring.projects(who).put(
        changed, new=False, now=who.now
    ):
        raise not_found("project")
    return ProjectOut(id=project, **wanted.model_dump())
