"""S12: Redis applies a write, and its answer is lost."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support import seeds, state
from tests.support.tap import Fault
from tests.support.world import World

SECONDS = 2.5


@dataclass(frozen=True)
class Write:
    """A use case whose ``number``-th request to Redis counts something.

    ``run`` returns whether it was done and how many seconds it took.
    """

    name: str
    number: int
    arrange: Callable[[World], None]
    run: Callable[[World], tuple[bool, float]]
    counts: dict[str, str]


def in_queue(world: World) -> None:
    """A delivery to be stored."""
    seeds.project(world)
    world.send("FeedbackQueue", seeds.delivery("standard", {"id": 1, "title": "It is slow"}))


def pending(world: World) -> None:
    """An item to be clustered."""
    seeds.project(world)
    seeds.feedback(world, ["It is slow"])
    world.send("ClusterQueue", json.dumps({"project": seeds.PROJECT}))


def clustered(world: World) -> None:
    """A cluster to be fixed."""
    seeds.project(world)
    world.kept["cluster"] = seeds.cluster(world)


def deliver(queue: str) -> Callable[[World], tuple[bool, float]]:
    """A batch of the queue to its consumer."""

    def run(world: World) -> tuple[bool, float]:
        delivery = world.deliver(queue)
        assert delivery is not None
        return not (delivery.failed or delivery.result.error), delivery.result.seconds

    return run


def ask_fix(world: World) -> tuple[bool, float]:
    """A click, which is the caller's to repeat."""
    path = f"/clusters/{world.kept['cluster']}/fix"
    began = time.monotonic()
    status = world.api("POST", path).status
    assert status in (200, 202, 503)
    return status < 300, time.monotonic() - began


STORED = {"stored": "1", "source:standard": "1"}
CLUSTERED = {**STORED, "clusters": "1", "clustered": "1"}
WRITES = (
    Write("store", 1, in_queue, deliver("FeedbackQueue"), STORED),
    Write("cluster", 3, pending, deliver("ClusterQueue"), CLUSTERED),
    Write("fix", 1, clustered, ask_fix, {**CLUSTERED, "job:queued": "1"}),
)


@pytest.mark.parametrize("deed", ["close", "hang"])
@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_s12_a_write_whose_answer_is_lost_counts_once(
    world: World, write: Write, deed: str
) -> None:
    """The caller fails within 2.5 s; asked again, every counter is up by one only."""
    write.arrange(world)
    assert write.run(world)[0], "warms the instance up"
    state.clear(world)
    write.arrange(world)
    lost = Fault(deed, applied=True, system="redis", number=write.number)  # type: ignore[arg-type]
    with world.tap.faulty(lost):
        done, seconds = write.run(world)
    assert not done
    assert seconds < SECONDS
    assert write.run(world)[0]
    assert state.counts(world, seeds.PROJECT) == write.counts
