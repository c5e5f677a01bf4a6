"""A model drafts a plan for a cluster, a person edits it and approves it.

All raise ``NotThere``, ``Conflict`` for what the present state does not allow, and ``RedisError``.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soulcaster.edges.plan_store import MODEL, Newer, PlanStore
from soulcaster.rules import ids
from soulcaster.rules.correction import Conflict, NotThere
from soulcaster.rules.plan import Plan

if TYPE_CHECKING:
    from soulcaster.edges.planner import Planner

REPORTS = 20


@dataclass(frozen=True, slots=True)
class Drafted:
    """The latest version of the plan; ``made`` is False when it was there already."""

    version: dict[str, Any]
    made: bool


def draft(cluster: str, *, plans: PlanStore, planner: "Planner", now: int) -> Drafted:
    """A new version by the model; two round trips and one call.

    Whoever asks while a draft is being made gets that one. Raises ``GeminiError`` too.
    """
    _check(cluster)
    material = plans.material(cluster, REPORTS)
    if not material.reports:
        raise Conflict("cluster: all that was reported in it is gone")
    plan = planner.draft(material)
    try:
        return Drafted(*plans.add(cluster, plan, MODEL, now, material.versions))
    except Newer as newer:
        # What a person wrote meanwhile must not be taken for the model's.
        if newer.latest is None or newer.latest["by"] != MODEL:
            raise
        return Drafted(newer.latest, made=False)


def edit(
    cluster: str, plan: Plan, based_on: int, who: str, *, plans: PlanStore, now: int
) -> dict[str, Any]:
    """A new version by a person, after the version ``based_on`` (0 for none); one round trip.

    Raises ``Newer``, a conflict, when ``based_on`` is not the latest version.
    """
    _check(cluster)
    return plans.add(cluster, plan, who, now, based_on)[0]


def approve(cluster: str, version: int, who: str, *, plans: PlanStore, now: int) -> dict[str, Any]:
    """Have fixes of the cluster run on ``version`` from now on; one round trip."""
    _check(cluster)
    return plans.approve(cluster, version, who, now)


def versions(cluster: str, *, plans: PlanStore) -> tuple[int | None, list[dict[str, Any]]]:
    """The version that fixes run on, if one was approved, and all of them, the newest first."""
    _check(cluster)
    return plans.versions(cluster)


def _check(cluster: str) -> None:
    if ids.project_of(cluster, "cl") is None:
        raise NotThere("cluster")
