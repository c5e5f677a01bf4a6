"""Plans: what is broken, how to reproduce it, where to look and how to verify the fix."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from routes.auth import Who
from routes.errors import CONFLICT, NOT_FOUND, Problem, Responses, refusals
from soulcaster import logs, wiring
from soulcaster.edges.clock import now_ms
from soulcaster.rules.plan import (
    MAX_FILES,
    MAX_VERSIONS,
    PATH_CHARS,
    PROBLEM_CHARS,
    REPRODUCTION_CHARS,
    VERIFICATION_CHARS,
    is_path,
    plan_of,
    readable,
)
from soulcaster.use_cases import plan as use_case

router = APIRouter(tags=["plans"])
logger = logs.logger()


def _said(text: str) -> str:
    if not readable(text, PROBLEM_CHARS):
        raise ValueError("says nothing")
    return text


def _path(name: str) -> str:
    if not is_path(name):
        raise ValueError("is no path in the repository")
    return name


class PlanWanted(BaseModel):
    """A plan as a person wants it, all of it; `based_on` is the latest version, 0 for none.

    `files` are paths relative to the repository. Characters that can't be seen are left out.
    """

    model_config = ConfigDict(extra="forbid")
    based_on: int = Field(ge=0, le=MAX_VERSIONS)
    problem: Annotated[str, Field(max_length=PROBLEM_CHARS), AfterValidator(_said)]
    reproduction: str = Field(max_length=REPRODUCTION_CHARS)
    files: list[Annotated[str, Field(max_length=PATH_CHARS), AfterValidator(_path)]] = Field(
        max_length=MAX_FILES
    )
    verification: str = Field(max_length=VERIFICATION_CHARS)


class PlanOut(BaseModel):
    """A version of a plan; times are milliseconds since 1970 in UTC.

    `by` is `model`, or who wrote it. It is plain text that is never changed; show it as it is.
    """

    version: int
    at: int
    by: str
    problem: str
    reproduction: str
    files: list[str]
    verification: str
    approved_at: int | None
    approved_by: str | None


class PlansOut(BaseModel):
    """A cluster's plan: `approved` is the version that fixes run on, if there is one."""

    approved: int | None
    versions: list[PlanOut]


_DRAFTED: Responses = {
    200: {"model": PlanOut, "description": "The latest version says the same, or was just made"},
    **NOT_FOUND,
    **CONFLICT,
    503: {"model": Problem, "description": "The model or a store did not answer; try again"},
}


@router.post("/clusters/{cluster}/plan", status_code=201, responses=_DRAFTED)
def draft_plan(who: Who, cluster: str, response: Response) -> PlanOut:
    """Have the model draft a plan from the cluster's newest reports, as a new version."""
    # Needs numpy, which hardly any other route does.
    from soulcaster.edges.gemini import GeminiError  # noqa: PLC0415

    try:
        with refusals():
            drafted = use_case.draft(
                cluster, plans=wiring.plans(who), planner=wiring.planner(), now=now_ms()
            )
    except GeminiError as error:
        logger.exception("no plan was drafted", extra={"cluster": cluster})
        detail = "the model did not answer; try again"
        raise HTTPException(503, detail, {"retry-after": "10"}) from error
    if not drafted.made:
        response.status_code = 200
    return PlanOut(**drafted.version)


@router.put("/clusters/{cluster}/plan", responses={**NOT_FOUND, **CONFLICT})
def edit_plan(who: Who, cluster: str, wanted: PlanWanted) -> PlanOut:
    """Write a plan as a new version; 409 when `based_on` is not the latest one."""
    plan = plan_of(wanted.problem, wanted.reproduction, wanted.files, wanted.verification)
    with refusals():
        edited = use_case.edit(
            cluster, plan, wanted.based_on, who.name, plans=wiring.plans(who), now=now_ms()
        )
    return PlanOut(**edited)


@router.get("/clusters/{cluster}/plans", responses=NOT_FOUND)
def list_plans(who: Who, cluster: str) -> PlansOut:
    """Every version of a cluster's plan, newest first."""
    with refusals():
        approved, versions = use_case.versions(cluster, plans=wiring.plans(who))
    return PlansOut(approved=approved, versions=[PlanOut(**version) for version in versions])


@router.post("/clusters/{cluster}/plans/{version}/approve", responses={**NOT_FOUND, **CONFLICT})
def approve_plan(
    who: Who, cluster: str, version: Annotated[int, Path(ge=1, le=MAX_VERSIONS)]
) -> PlanOut:
    """Have fixes run on this version from now on; a job that is there keeps its own."""
    with refusals():
        approved = use_case.approve(
            cluster, version, who.name, plans=wiring.plans(who), now=now_ms()
        )
    return PlanOut(**approved)
