"""What the reaper finds, in the ways that a job can be lost."""

from soulcaster.edges.clock import now_ms
from soulcaster.edges.job_store import JobStore
from soulcaster.rules.job import State as JobState
from tests.scenarios.case import Case
from tests.scenarios.fix_cases import MINUTE, at_once, in_line, reap_later
from tests.support import seeds
from tests.support.world import World

TASK = {"task": "arn:of:a-task"}

type Lost = tuple[str, JobState, int, dict[str, str]]


def lost(world: World, at: int, *jobs: Lost) -> None:
    """A job of a cluster of its own for each, of which nothing was heard since ``at``."""
    store = JobStore(seeds.redis(world))
    for name, reached, attempt, fields in jobs:
        cluster = seeds.cluster(world, [f"Problem of the {name}"])
        job = f"job_{seeds.PROJECT}_{name}"
        seeds.job(world, cluster, reached, identifier=job, attempt=attempt, at=at)
        assert store.touch(job, attempt, (reached,), at, fields)


def overdue(world: World) -> str:
    """A lost message of each queue, a task that was never started, and lost tasks."""
    seeds.project(world)
    at = now_ms() - 10 * MINUTE
    lost(
        world,
        at,
        ("message", "queued", 1, {}),
        ("patch", "publishing", 1, {}),
        ("capacity", "starting", 1, {}),
        ("task", "starting", 1, TASK),
        ("heartbeat", "running", 1, {**TASK, "deadline": str(now_ms() + 10 * MINUTE)}),
        ("last-attempt", "running", 3, {**TASK, "deadline": str(now_ms() + 10 * MINUTE)}),
    )
    return ""


def late(world: World) -> str:
    """A task past its deadline, one that fell silent over its tests, and a job in line for a slot
    that is free.
    """
    seeds.project(world)
    at_once(world, 2)
    at = now_ms() - 10 * MINUTE
    lost(
        world,
        at,
        ("deadline", "running", 1, {**TASK, "deadline": str(at), "granted": "500000"}),
        ("tests", "proving", 1, {**TASK, "deadline": str(now_ms() + 10 * MINUTE)}),
    )
    in_line(world, f"job_{seeds.PROJECT}_line")
    at_once(world, 3)
    return ""


def reap(world: World) -> bool:
    """The schedule's tick, which comes again in a minute."""
    return world.tick("ReapFunction").error is None


def things(count: int) -> dict[str, int]:
    """What so many clusters of one item each add up to."""
    names = ("stored", "source:standard", "clustered", "clusters", "vectors")
    return dict.fromkeys(names, count)


REAPED = {"job:queued": 3, "job:publishing": 1, "job:starting": 1, "job:failed": 1}
SENT = {"FixQueue": 4, "PublishQueue": 1}
LATE = {"job:queued": 2, "job:timed_out": 1, "FixQueue": 2}
CASES = (
    Case("reap", overdue, reap, {**things(6), **REAPED, **SENT}, reap_later),
    Case("reap late", late, reap, {**things(3), **LATE}, reap_later),
)
