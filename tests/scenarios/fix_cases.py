"""The handlers that a fix passes through, from a click to its pull request."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from soulcaster.edges.clock import now_ms
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.rules.job import State as JobState
from soulcaster.rules.job import attempt_message, credential
from soulcaster.rules.project import Project
from tests.scenarios.case import Case, from_queue, nothing
from tests.support import seeds
from tests.support.state import State
from tests.support.world import World
from tests.use_cases.publishing import Ready, proof

MINUTE = 60_000
SPENT = {"dollars": 0.31, "read": 9_000, "written": 400, "calls": 3}


def reap_later(world: World, done: bool) -> None:
    """Whatever was lost for good, the reaper finds after some minutes."""
    del done
    result = world.tick("ReapFunction", ahead_ms=6 * MINUTE)
    assert result.error is None, result


def at_once(world: World, jobs: int) -> None:
    """Let so many of the project's jobs run at a time."""
    made = Project(id=seeds.PROJECT, name="Larder", repository=seeds.REPOSITORY, jobs_at_once=jobs)
    assert ProjectStore(seeds.redis(world)).put(made, new=False)


def in_line(world: World, job: str) -> None:
    """A job of another problem that found no slot free."""
    at = now_ms()
    cluster = seeds.cluster(world, ["Problem of the next"])
    seeds.job(world, cluster, "queued", identifier=job, at=at)
    moved = JobStore(seeds.redis(world)).move(job, 1, "starting", at, "")
    assert moved.outcome == "waiting", moved


def clustered(world: World) -> str:
    """A cluster that can be fixed."""
    seeds.project(world)
    world.kept["cluster"] = seeds.cluster(world)
    return ""


def ask_fix(world: World) -> bool:
    """A person's click, who clicks again after an error."""
    return world.api("POST", f"/clusters/{world.kept['cluster']}/fix").status in (200, 202)


def queued(world: World) -> str:
    """A job whose message is in the queue."""
    clustered(world)
    world.kept["job"] = seeds.job(world, world.kept["cluster"], "queued")
    world.send("FixQueue", attempt_message(world.kept["job"], 1))
    return ""


def unwanted(world: World) -> str:
    """A job that was cancelled while its task ran, which the dispatcher is being told."""
    queued(world)
    assert from_queue("FixQueue")(world)
    jobs, job = JobStore(seeds.redis(world)), world.kept["job"]
    assert jobs.move(job, "*", "cancelled", seeds.THEN, "cancelled").task.startswith("arn:")
    world.send("FixQueue", attempt_message(job, 1))
    return ""


def starting(world: World) -> str:
    """A job whose task holds a ticket."""
    seeds.project(world, seeds.posts(world))
    world.kept["job"] = seeds.job(world, seeds.cluster(world), "starting")
    return ""


def claim(world: World, attempt: int = 1) -> bool:
    """The task's first call, with the ticket of its attempt."""
    ticket = credential(world.secrets["TicketKey"], "ticket", world.kept["job"], attempt)
    body = json.dumps({"ticket": ticket}).encode()
    headers = {"content-type": "application/json"}
    return world.request("POST", "/agent/claim", body=body, headers=headers).status == 200


def claim_by_next_attempt(world: World, done: bool) -> None:
    """A used ticket opens nothing: the task gives up, and the reaper starts another one."""
    if done:
        return
    result = world.tick("ReapFunction", ahead_ms=2 * MINUTE)
    assert result.payload == 1, result
    assert from_queue("FixQueue")(world)
    assert claim(world, 2)


def but_for_attempts(left: State) -> State:
    """All of the state, whichever attempt it was that got there, and what those before may cost."""
    passing = ("attempt", "reason", "charged")
    stored = {key: value for key, value in left.redis.items() if not key.endswith(":history")}
    for key, value in stored.items():
        if ":job:" in key:
            stored[key] = {n: v for n, v in value.items() if n not in passing}
    return replace(left, redis=stored, tasks=[])


def running(world: World) -> str:
    """A job whose task is at work."""
    return _at_work(world, "running")


def proving(world: World) -> str:
    """A job whose task runs tests on its patch."""
    return _at_work(world, "proving")


def _at_work(world: World, reached: JobState) -> str:
    clustered(world)
    world.kept["job"] = seeds.job(
        world,
        world.kept["cluster"],
        reached,
        identifier=f"job_{seeds.PROJECT}_one",
        deadline=str(now_ms() + 30 * MINUTE),
        granted="500000",
        task="arn:of:a-task",
    )
    return ""


def says(action: str, report: Mapping[str, Any], status: int = 200) -> Callable[[World], bool]:
    """A call of the task, which it repeats until it is answered."""

    def say(world: World) -> bool:
        token = credential(world.secrets["TicketKey"], "callback", world.kept["job"], 1)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        body = json.dumps(report).encode()
        answer = world.request("POST", f"/agent/{action}", body=body, headers=headers)
        return answer.status == status

    return say


def leaving(world: World) -> str:
    """A job at work whose slot another one waits for."""
    running(world)
    at_once(world, 1)
    in_line(world, seeds.job_id(world))
    return ""


def publishing(world: World) -> str:
    """A patch that is to become a pull request."""
    repository = seeds.repository(world)
    seeds.project(world, repository)
    job = f"job_{seeds.PROJECT}_one"  # always the same, as it is in the commit
    Ready(world, repository, seeds.cluster(world)).job(shown=proof(), identifier=job)
    world.send("PublishQueue", attempt_message(job, 1))
    return repository


def observe(world: World) -> bool:
    """ECS's event that the task has ended, which EventBridge repeats."""
    detail = {
        "startedBy": f"{world.kept['job']}/1",
        "lastStatus": "STOPPED",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "agent", "exitCode": 137}],
        "version": 5,
    }
    return world.invoke("ObserveFunction", {"id": "1", "detail": detail}).error is None


def cancel(world: World) -> bool:
    """A person's click, who clicks again after an error."""
    return world.api("POST", f"/jobs/{world.kept['job']}/cancel").status == 200


def cancelled_and_next(world: World, done: bool) -> None:
    """The task learns of it whether or not its dispatcher does, and the reaper calls who waits."""
    assert says("heartbeat", {}, 409)(world)
    reap_later(world, done)
    world.drain("FixQueue")


ONE = {"stored": 1, "source:standard": 1, "clustered": 1, "clusters": 1, "vectors": 1}
TWO = {"stored": 2, "source:standard": 2, "clustered": 2, "clusters": 2, "vectors": 2}
BEAT = {"spent": SPENT, "wants": 1.5, "log": {"from": 0, "entries": ["It reads.", "It writes."]}}
PATCH = {
    "outcome": "patch",
    "summary": "Counted.",
    "patch_sha256": "0" * 64,
    "proof_sha256": "1" * 64,
    "verdict": "proven",
    "spent": SPENT,
    "exact": True,
}
NO_CHANGE = {"outcome": "no_change", "spent": SPENT, "exact": True}
FINISHED = {**ONE, "job:publishing": 1, "PublishQueue": 1}
PUBLISHED = {**ONE, "job:pr_open": 1, "branches": 2, "pulls": 1}
RETRIED = {**ONE, "job:queued": 1, "FixQueue": 1}
NEXT = {**TWO, "job:no_change": 1, "job:queued": 1, "FixQueue": 1}
CANCELLED = {**TWO, "job:cancelled": 1, "job:starting": 1, "tasks": 1}
CASES = (
    Case("fix", clustered, ask_fix, RETRIED, reap_later),
    Case("dispatch", queued, from_queue("FixQueue"), {**ONE, "job:starting": 1, "tasks": 1}),
    Case("dispatch cancelled", unwanted, from_queue("FixQueue"), {**ONE, "job:cancelled": 1}),
    Case(
        "claim",
        starting,
        claim,
        {**ONE, "job:running": 1},
        claim_by_next_attempt,
        but_for_attempts,
    ),
    Case("heartbeat", running, says("heartbeat", BEAT), {**ONE, "job:running": 1}),
    Case("proving", running, says("proving", {"spent": SPENT}), {**ONE, "job:proving": 1}),
    Case("finish", proving, says("finish", PATCH, 202), FINISHED, nothing),
    Case("finish for the next", leaving, says("finish", NO_CHANGE, 202), NEXT, reap_later),
    Case("publish", publishing, from_queue("PublishQueue"), PUBLISHED),
    Case("observe", running, observe, RETRIED, reap_later),
    Case("cancel", leaving, cancel, CANCELLED, cancelled_and_next),
)
