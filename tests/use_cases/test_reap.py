"""What becomes of jobs that nothing is heard of."""

import pytest

from soulcaster.edges.clock import now_ms
from soulcaster.edges.job_store import JobStore
from soulcaster.rules.job import MAX_ATTEMPTS, State, attempt_message
from tests.support import seeds, state
from tests.use_cases.conftest import Fixing

MINUTE = 60_000


def queued(fixing: Fixing, queue: str) -> list[str]:
    """The messages that wait in a queue."""
    url = fixing.world.stack.queues[queue].url
    answer = fixing.world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


def reap(fixing: Fixing) -> int:
    """Run the reaper; returns how many jobs were overdue."""
    result = fixing.world.tick("ReapFunction")
    assert result.error is None, result.error
    return int(result.payload)


@pytest.mark.parametrize(
    ("was", "queue"),
    [("queued", "FixQueue"), ("starting", "FixQueue"), ("publishing", "PublishQueue")],
)
def test_a_lost_message_is_sent_again(fixing: Fixing, was: State, queue: str) -> None:
    """Once for each patience: for a job that no task was started for, and for one past its
    agent's deadline, too.
    """
    at = now_ms() - 40 * MINUTE
    late = str(at + 30 * MINUTE)
    job = seeds.job(fixing.world, fixing.cluster, was, at=at, deadline=late)
    assert reap(fixing) == 1
    assert queued(fixing, queue) == [attempt_message(job, 1)]
    assert fixing.outcome(job)[0] == was
    assert reap(fixing) == 0


def test_a_task_is_started_at_last(fixing: Fixing) -> None:
    """A ``starting`` job whose message comes again gets its task."""
    job = seeds.job(fixing.world, fixing.cluster, "starting", at=now_ms() - 10 * MINUTE)
    reap(fixing)
    fixing.world.drain("FixQueue")
    assert fixing.outcome(job)[0] == "starting"
    assert state.redis(fixing.world, "HGET", f"p:larder:job:{job}", "task").startswith("arn:")


@pytest.mark.parametrize(("was", "hours"), [("queued", 24), ("starting", 6), ("publishing", 6)])
def test_nothing_waits_for_ever(fixing: Fixing, was: State, hours: int) -> None:
    """After hours in one state a job ends, and says so."""
    job = seeds.job(fixing.world, fixing.cluster, was, at=now_ms() - (hours * 60 + 1) * MINUTE)
    assert reap(fixing) == 1
    assert fixing.outcome(job) == ("failed", f"it was {was} for {hours} hours")
    assert fixing.stored(job)["cause"] == "stuck"
    assert queued(fixing, "FixQueue") == queued(fixing, "PublishQueue") == []


@pytest.mark.parametrize(
    ("was", "end"),
    [
        ("starting", "failed"),
        ("running", "failed"),
        ("proving", "failed"),
        ("publishing", "publishing"),
    ],
)
def test_the_last_attempt_ends_only_what_is_lost(fixing: Fixing, was: State, end: State) -> None:
    """When the last task stops, its job fails; but not one whose patch it has handed over."""
    job = seeds.job(
        fixing.world, fixing.cluster, was, attempt=MAX_ATTEMPTS, at=now_ms(), task="arn"
    )
    detail = {"startedBy": f"{job}/{MAX_ATTEMPTS}", "lastStatus": "STOPPED"}
    result = fixing.world.invoke("ObserveFunction", {"detail": detail})
    assert (result.error, result.payload) == (None, end)
    assert fixing.outcome(job)[0] == end


@pytest.mark.parametrize("was", ["running", "proving"])
def test_a_task_past_its_deadline_ends_its_job(fixing: Fixing, was: State) -> None:
    """There is no other attempt: it would take as long."""
    at = now_ms() - 40 * MINUTE
    late = str(at + 30 * MINUTE)
    job = seeds.job(fixing.world, fixing.cluster, was, at=at, deadline=late, task="arn")
    assert reap(fixing) == 1
    assert fixing.outcome(job) == ("timed_out", "the task ran past its deadline")
    assert fixing.stored(job)["cause"] == "deadline"
    assert reap(fixing) == 0


def test_who_waits_is_called_when_there_is_a_slot(fixing: Fixing) -> None:
    """Also when whoever left the slot did not get to say so."""
    job = seeds.job(fixing.world, fixing.cluster, "queued", at=now_ms())
    jobs = JobStore(seeds.redis(fixing.world), 0)
    assert jobs.move(job, 1, "starting", now_ms(), "x").outcome == "waiting"
    assert reap(fixing) == 0
    assert queued(fixing, "FixQueue") == [attempt_message(job, 1)]
