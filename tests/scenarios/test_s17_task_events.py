"""S17: ECS's events come twice, out of order, or never."""

import itertools
from typing import Any

import pytest

from soulcaster.edges.clock import now_ms
from soulcaster.rules.job import MAX_ATTEMPTS, PATIENCE, State, attempt_message
from tests.scenarios.attempts import dispatched, history, say, stored, tasks, token
from tests.support import seeds, state
from tests.support.world import World

TICK = 60_000  # the reaper's schedule
JOB = f"job_{seeds.PROJECT}_events"
STATUSES = ("PROVISIONING", "RUNNING", "STOPPED")
ORDERS = [
    *itertools.permutations(STATUSES),
    ("STOPPED", "STOPPED"),
    ("RUNNING", "STOPPED", "RUNNING", "STOPPED", "PROVISIONING"),
]


def tell(world: World, job: str, status: str, attempt: int = 1) -> Any:
    """An event about the attempt's task; returns what the function makes of it."""
    version = STATUSES.index(status) + 1
    detail: dict[str, Any] = {
        "startedBy": f"{job}/{attempt}",
        "lastStatus": status,
        "version": version,
        "containers": [{"name": "agent"}],
    }
    if status == "STOPPED":
        detail["stoppedReason"] = "Essential container in task exited"
        detail["containers"][0]["exitCode"] = 137
    event = {"id": f"event-{version}", "detail-type": "ECS Task State Change", "detail": detail}
    result = world.invoke("ObserveFunction", event)
    assert result.error is None, result.error
    return result.payload


def reached(world: World, was: State, attempt: int = 1) -> str:
    """A job whose attempt has a task; everything before is forgotten."""
    state.clear(world)
    seeds.project(world)
    cluster = seeds.cluster(world)
    return seeds.job(world, cluster, was, identifier=JOB, attempt=attempt, at=now_ms(), task="arn")


@pytest.mark.parametrize(
    ("was", "attempt", "end"),
    [
        ("running", 1, "queued"),
        ("proving", 1, "queued"),
        ("starting", MAX_ATTEMPTS, "failed"),
        ("running", MAX_ATTEMPTS, "failed"),
        ("publishing", 1, "publishing"),
        ("cancelled", 1, "cancelled"),
    ],
)
def test_s17_any_order_has_the_same_end(world: World, was: State, attempt: int, end: State) -> None:
    """Once, twice and turned round, the events leave the very same behind, and one message."""
    left = []
    for order in ORDERS:
        job = arranged(world, was, attempt)
        for status in order:
            tell(world, job, status, attempt)
        assert stored(world, job)["state"] == end
        left.append(state.snapshot(world))
    assert all(each == left[0] for each in left)


def arranged(world: World, was: State, attempt: int) -> str:
    """As ``reached``, and a person may have cancelled it."""
    if was != "cancelled":
        return reached(world, was, attempt)
    job = reached(world, "running", attempt)
    assert world.api("POST", f"/jobs/{job}/cancel").status < 300
    return job


def test_s17_an_event_of_an_earlier_attempt_is_nothing(world: World) -> None:
    """The task of attempt 1 ends when attempt 2 is at work: nothing changes."""
    job = reached(world, "running", attempt=2)
    before = state.redis(world, "ZRANGE", "sys:jobs", 0, -1, "WITHSCORES"), state.stored(world)
    assert tell(world, job, "STOPPED", attempt=1) == "running"
    after = state.redis(world, "ZRANGE", "sys:jobs", 0, -1, "WITHSCORES"), state.stored(world)
    assert after == before


@pytest.mark.parametrize(
    ("was", "attempt", "end"),
    [
        ("starting", 1, ("queued", "2")),
        ("running", 1, ("queued", "2")),
        ("proving", 1, ("queued", "2")),
        ("running", MAX_ATTEMPTS, ("failed", str(MAX_ATTEMPTS))),
    ],
)
def test_s17_without_events_the_reaper_ends_it(
    world: World, was: State, attempt: int, end: tuple[str, str]
) -> None:
    """Within the lease and one tick of the schedule, to what the event would have made of it."""
    job = reached(world, was, attempt)
    assert world.tick("ReapFunction").payload == 0
    assert stored(world, job)["state"] == was
    assert world.tick("ReapFunction", ahead_ms=PATIENCE[was] + TICK).payload == 1
    found = stored(world, job)
    assert (found["state"], found["attempt"]) == end
    assert tell(world, job, "STOPPED", attempt) == end[0], "it comes after all"
    assert stored(world, job) == found


def test_s17_a_real_tasks_end_without_an_event(world: World) -> None:
    """A task that falls silent is stopped, and the next attempt has one of its own."""
    seeds.project(world, seeds.posts(world))
    job = seeds.job(world, seeds.cluster(world), "queued", at=now_ms())
    world.send("FixQueue", attempt_message(job, 1))
    dispatched(world)
    assert say(world, "claim", token(world, "ticket", job), {}) == 200
    assert world.tick("ReapFunction", ahead_ms=PATIENCE["running"] + TICK).payload == 1
    dispatched(world)
    steps = [("queued", 1), ("starting", 1), ("running", 1), ("queued", 2), ("starting", 2)]
    assert history(world, job) == steps
    assert (len(tasks(world, job, 1)), len(tasks(world, job, 2))) == (1, 1)
    assert state.snapshot(world).tasks == ["job_random/2"], "one is alive"
