"""The handlers that a fix passes through, from a click to its pull request."""

import json
from dataclasses import replace

from soulcaster.edges.clock import now_ms
from soulcaster.edges.job_store import JobStore
from soulcaster.rules.job import State as JobState
from soulcaster.rules.job import credential
from tests.scenarios.case import Case, from_queue
from tests.support import seeds
from tests.support.state import State
from tests.support.world import World

MINUTE = 60_000


def reap_later(world: World, done: bool) -> None:
    """Whatever was lost for good, the reaper finds after some minutes."""
    del done
    result = world.tick("ReapFunction", ahead_ms=6 * MINUTE)
    assert result.error is None, result


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
    job = seeds.job(world, world.kept["cluster"], "queued")
    world.send("FixQueue", json.dumps({"job": job, "attempt": 1}))
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
    """All of the state, whichever attempt it was that got there."""
    stored = {key: value for key, value in left.redis.items() if not key.endswith(":history")}
    for key, value in stored.items():
        if ":job:" in key:
            stored[key] = {n: v for n, v in value.items() if n not in ("attempt", "reason")}
    return replace(left, redis=stored, tasks=[])


def running(world: World) -> str:
    """A job whose task is at work."""
    clustered(world)
    world.kept["job"] = seeds.job(world, world.kept["cluster"], "running")
    return ""


def heartbeat(world: World) -> bool:
    """The task's sign of life, which it gives again and again."""
    token = credential(world.secrets["TicketKey"], "callback", world.kept["job"], 1)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return world.request("POST", "/agent/heartbeat", body=b"{}", headers=headers).status == 200


def finish(world: World) -> bool:
    """The task's last call, which it repeats until it is answered."""
    token = credential(world.secrets["TicketKey"], "callback", world.kept["job"], 1)
    report = {"outcome": "patch", "summary": "Counted.", "patch_sha256": "0" * 64}
    body = json.dumps(report).encode()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return world.request("POST", "/agent/finish", body=body, headers=headers).status == 202


def publishing(world: World) -> str:
    """A patch that is to become a pull request."""
    repository = seeds.repository(world)
    seeds.project(world, repository)
    job = f"job_{seeds.PROJECT}_one"  # always the same, as it is in the commit
    patch = seeds.patch(world, repository, job)
    cluster = seeds.cluster(world)
    seeds.job(world, cluster, "publishing", identifier=job, title="Lines", patch_sha256=patch)
    world.send("PublishQueue", json.dumps({"job": job, "attempt": 1}))
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


def overdue(world: World) -> str:
    """A job for each way of being lost."""
    seeds.project(world)
    jobs, at = JobStore(seeds.redis(world)), now_ms() - 10 * MINUTE
    lost: tuple[tuple[str, JobState, int, dict[str, str]], ...] = (
        ("message", "queued", 1, {}),
        ("patch", "publishing", 1, {}),
        ("capacity", "starting", 1, {}),
        ("task", "starting", 1, {"task": "arn:of:a-task"}),
        ("heartbeat", "running", 1, {"task": "arn:of:a-task"}),
        ("last-attempt", "running", 3, {"task": "arn:of:a-task"}),
        ("deadline", "running", 1, {"task": "arn:of:a-task", "deadline": str(at)}),
    )
    for name, reached, attempt, fields in lost:
        cluster = seeds.cluster(world, [f"Problem of the {name}"])
        job = f"job_{seeds.PROJECT}_{name}"
        seeds.job(world, cluster, reached, identifier=job, attempt=attempt, at=at)
        jobs.touch(job, attempt, reached, at, fields)
    return ""


def reap(world: World) -> bool:
    """The schedule's tick, which comes again in a minute."""
    return world.tick("ReapFunction").error is None


ONE = {"stored": 1, "source:standard": 1, "clustered": 1, "clusters": 1, "vectors": 1}
OVERDUE = {"stored": 7, "source:standard": 7, "clustered": 7, "clusters": 7, "vectors": 7}
REAPED = {"job:queued": 3, "job:publishing": 1, "job:starting": 1}
ENDED = {"job:failed": 1, "job:timed_out": 1}
CASES = (
    Case("fix", clustered, ask_fix, {**ONE, "job:queued": 1, "FixQueue": 1}, reap_later),
    Case("dispatch", queued, from_queue("FixQueue"), {**ONE, "job:starting": 1, "tasks": 1}),
    Case(
        "claim",
        starting,
        claim,
        {**ONE, "job:running": 1},
        claim_by_next_attempt,
        but_for_attempts,
    ),
    Case("heartbeat", running, heartbeat, {**ONE, "job:running": 1}),
    Case("finish", running, finish, {**ONE, "job:publishing": 1, "PublishQueue": 1}),
    Case(
        "publish",
        publishing,
        from_queue("PublishQueue"),
        {**ONE, "job:pr_open": 1, "branches": 2, "pulls": 1},
    ),
    Case("observe", running, observe, {**ONE, "job:queued": 1, "FixQueue": 1}, reap_later),
    Case(
        "reap",
        overdue,
        reap,
        {**OVERDUE, **REAPED, **ENDED, "FixQueue": 4, "PublishQueue": 1},
        reap_later,
    ),
)
