"""S16: RunTask fails, has no capacity, throttles, refuses, or its answer is lost."""

from typing import Any

import pytest

from soulcaster.rules.job import MAX_TRIES, PATIENCE, attempt_message, pause
from tests.scenarios.attempts import MINUTE, dispatched, ecs_faults, history, queued, stored, tasks
from tests.support import seeds, state
from tests.support.tap import Fault
from tests.support.world import World

PASSING: dict[str, dict[str, Any]] = {
    "failures": {"failures": [{"arn": "a", "reason": "RESOURCE:CPU"}]},
    "capacity": {"error": "ClientException", "message": "Capacity is unavailable at this time"},
    "throttling": {"error": "ThrottlingException", "message": "Rate exceeded"},
    "server": {"error": "ServerException", "message": "Service Unavailable"},
    "lost": {"status": 500, "applied": True},
}


def assert_backed_off(held: list[float]) -> None:
    """Each message was held back as long as its number says, half of it by chance."""
    assert held
    for number, seconds in enumerate(held, 1):
        assert pause(number, 0) <= seconds <= pause(number, 1)


def task_of(world: World, job: str) -> str | None:
    """The task that the job knows."""
    found: str | None = state.redis(world, "HGET", f"p:{seeds.PROJECT}:job:{job}", "task")
    return found


def assert_started(world: World, job: str) -> None:
    """One task, which the job knows, and nothing left in the queue."""
    assert tasks(world, job) == [task_of(world, job)]
    assert history(world, job) == [("queued", 1), ("starting", 1)]
    assert state.snapshot(world).queues == {}


@pytest.mark.parametrize("name", PASSING)
def test_s16_a_passing_trouble_delays_the_task(world: World, name: str) -> None:
    """Later and later it is asked for again, until there is one task and no more."""
    job = queued(world)
    with ecs_faults(world, RunTask={**PASSING[name], "times": 4}):
        held = dispatched(world)
    assert_backed_off(held)
    assert_started(world, job)


@pytest.mark.parametrize("name", [name for name in PASSING if name != "lost"])
def test_s16_a_lasting_trouble_ends_the_job(world: World, name: str) -> None:
    """After so many tries; it says why, starts nothing, and its slot and cluster are free."""
    job = queued(world)
    with ecs_faults(world, RunTask={**PASSING[name], "times": 2 * MAX_TRIES}):
        held = dispatched(world)
    assert len(held) == MAX_TRIES - 1
    assert_backed_off(held)
    found = stored(world, job)
    assert (found["state"], found["cause"]) == ("failed", "no_capacity")
    assert tasks(world, job) == []
    assert state.redis(world, "EXISTS", "sys:slots") == 0
    assert "job" not in state.records(world, "cl")[found["cluster"]]
    assert state.snapshot(world).queues == {}


def test_s16_what_no_repeat_can_mend_ends_the_job(world: World) -> None:
    """At once, with ECS's own words."""
    job = queued(world)
    with ecs_faults(world, RunTask={"error": "AccessDeniedException", "message": "not allowed"}):
        assert dispatched(world) == []
    found = stored(world, job)
    assert (found["state"], found["cause"]) == ("failed", "not_started")
    assert "not allowed" in found["reason"]
    assert tasks(world, job) == []


@pytest.mark.parametrize("deed", ["close", "kill"])
def test_s16_a_lost_answer_starts_nothing_twice(world: World, deed: str) -> None:
    """The task is there, nobody was told: it is found by the name of its attempt."""
    job = queued(world)
    lost = Fault(deed, applied=True, system="ecs", lasting=True)  # type: ignore[arg-type]
    with world.tap.faulty(lost), world.cold():
        world.deliver("FixQueue")
    assert len(tasks(world, job)) == 1
    assert task_of(world, job) is None
    dispatched(world)
    assert_started(world, job)


def test_s16_a_lost_message_is_sent_by_the_reaper(world: World) -> None:
    """A job that waits for capacity, and whose message is gone, is not forgotten."""
    job = queued(world)
    with ecs_faults(world, RunTask=PASSING["failures"]):
        world.deliver("FixQueue")
    world.sqs.purge_queue(QueueUrl=world.stack.queues["FixQueue"].url)
    later = PATIENCE["starting"] + pause(1, 1) * 1000 + MINUTE
    assert world.tick("ReapFunction", ahead_ms=later).payload == 1
    dispatched(world)
    assert_started(world, job)


def started_by_another_deployment(world: World, job: str) -> str:
    """A task of the attempt's name, with settings that are no longer the same."""
    environment = world.stack.functions["DispatchFunction"].environment
    answer = world.ecs.run_task(
        cluster=environment["ECS_CLUSTER"],
        taskDefinition=environment["TASK_DEFINITION"],
        launchType="FARGATE",
        clientToken=f"{job.rpartition('_')[2]}-1",
        startedBy=f"{job}/1",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-before"]}},
    )
    return str(answer["tasks"][0]["taskArn"])


def test_s16_a_conflict_adopts_the_task(world: World) -> None:
    """A deployment between two deliveries changes the request: the first one's task is it."""
    job = queued(world)
    task = started_by_another_deployment(world, job)
    dispatched(world)
    assert_started(world, job)
    assert task_of(world, job) == task


def test_s16_a_conflict_with_an_ended_task_is_another_attempt(world: World) -> None:
    """Its name is used up."""
    job = queued(world)
    task = started_by_another_deployment(world, job)
    cluster = world.stack.functions["DispatchFunction"].environment["ECS_CLUSTER"]
    world.ecs.stop_task(cluster=cluster, task=task)
    dispatched(world)
    assert (stored(world, job)["state"], stored(world, job)["attempt"]) == ("starting", "2")
    assert (len(tasks(world, job, 1)), len(tasks(world, job, 2))) == (1, 1)


@pytest.mark.parametrize(
    "fault", [PASSING["failures"], {"error": "AccessDeniedException", "message": "not allowed"}]
)
def test_s16_a_task_at_work_is_not_given_up(world: World, fault: dict[str, Any]) -> None:
    """When the message comes again, whatever RunTask says by then: there is a task."""
    seeds.project(world)
    tries = str(MAX_TRIES - 1)
    job = seeds.job(world, seeds.cluster(world), "running", tries=tries, task="arn")
    world.send("FixQueue", attempt_message(job, 1))
    with ecs_faults(world, RunTask=fault):
        assert dispatched(world) == []
    assert stored(world, job)["state"] == "running"
