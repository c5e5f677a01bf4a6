"""Plans in Redis."""

import json
from dataclasses import dataclass
from typing import Any

from soulcaster.edges.redis import Redis
from soulcaster.rules import ids
from soulcaster.rules.correction import Conflict, NotThere
from soulcaster.rules.plan import MAX_VERSIONS, Plan
from soulcaster.rules.project import Project
from soulcaster.rules.prompt import TOLD

MODEL = "model"  # who wrote what no person did


@dataclass(frozen=True, slots=True)
class Material:
    """What a plan is made from: ``reports`` are (title, body), the newest first.

    ``versions``: how many versions of the cluster's plan there are. ``said``: for each report what
    the first reports in its evidence say.
    """

    name: str
    summary: str
    project: Project
    reports: tuple[tuple[str, str], ...]
    versions: int
    said: tuple[tuple[str, ...], ...] = ()


class Newer(Conflict):
    """Somebody saved a version since; ``latest`` is it, None when there is none at all."""

    def __init__(self, latest: dict[str, Any] | None) -> None:
        number = latest["version"] if latest else 0
        super().__init__(f"based_on: the latest version is {number}; read it first")
        self.latest = latest


class PlanStore:
    """Keeps the versions of a cluster's plan; every method is one round trip.

    A version is {version (from 1), at (ms), by, problem, reproduction, files, verification,
    approved_at, approved_by}; the last two are None until it is approved, and nothing else ever
    changes. What writes is safe to run again after a lost reply, and raises ``NotThere`` and
    ``Conflict``, having written nothing.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def material(self, cluster: str, items: int) -> Material:
        """What is needed to plan, with the newest ``items`` reports.

        Raises ``NotThere``, and ``Conflict`` for a cluster that can't get a further version.
        """
        found = self._run("plan_brief", cluster, items, TOLD)
        name, summary, project, heads, versions = found[1:]
        if int(versions) >= MAX_VERSIONS:
            raise _full()
        docs = [json.loads(head) for head, _ in heads]
        reports = tuple((doc["title"], doc["body"]) for doc in docs)
        told = tuple(tuple(said) for _, said in heads)
        return Material(name, summary, Project.from_json(project), reports, int(versions), told)

    def add(
        self, cluster: str, plan: Plan, by: str, at: int, based_on: int
    ) -> tuple[dict[str, Any], bool]:
        """The plan as the version after ``based_on`` (0 for none), and whether it is new.

        When the latest version says the same, that one is the answer. Raises ``Newer`` when there
        is another version after ``based_on``.
        """
        version = {
            "version": based_on + 1,
            "at": at,
            "by": by,
            "problem": plan.problem,
            "reproduction": plan.reproduction,
            "files": plan.files,
            "verification": plan.verification,
            "approved_at": None,
            "approved_by": None,
        }
        stored = json.dumps(version, ensure_ascii=False)
        outcome, text = self._run("plan_add", cluster, stored, based_on, MAX_VERSIONS)
        if outcome == "newer":
            raise Newer(json.loads(text) if text else None)
        if outcome == "full":
            raise _full()
        return json.loads(text), outcome == "added"

    def approve(self, cluster: str, version: int, who: str, now: int) -> dict[str, Any]:
        """Have fixes run on ``version`` from now on; returns it."""
        outcome, text = self._run("plan_approve", cluster, version, now, who)
        if outcome == "no_plan":
            raise NotThere("plan")
        approved: dict[str, Any] = json.loads(text)
        return {**approved, "approved_at": int(approved["approved_at"])}

    def versions(self, cluster: str) -> tuple[int | None, list[dict[str, Any]]]:
        """The number of the version that fixes run on, and all versions, the newest first."""
        found = self._redis.run("plan_list", ids.project_of(cluster, "cl") or "", cluster)
        if not found:
            raise NotThere("cluster")
        approved, plans = found
        return int(approved) if approved else None, [json.loads(plan) for plan in plans]

    def _run(self, script: str, cluster: str, *args: str | int) -> list[Any]:
        """The script's answer about a cluster that is there and has items."""
        found: list[Any] = self._redis.run(
            script, ids.project_of(cluster, "cl") or "", cluster, *args
        )
        if found[0] == "missing":
            raise NotThere("cluster")
        if found[0] == "merged":
            raise Conflict(f"cluster: it was merged into {found[1]}; plan for that one")
        return found


def _full() -> Conflict:
    return Conflict(f"cluster: its plan has {MAX_VERSIONS} versions, which is the limit")


def plan_in(version: str) -> Plan:
    """The plan of a version as it is stored."""
    said = json.loads(version)
    return Plan(said["problem"], said["reproduction"], tuple(said["files"]), said["verification"])
