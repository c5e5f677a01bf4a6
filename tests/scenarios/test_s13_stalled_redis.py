"""S13: Redis takes a request and says nothing for a long time."""

import json
import time
from collections.abc import Callable

import pytest

from tests.support import seeds, state
from tests.support.tap import Fault
from tests.support.world import World

SECONDS = 2.5
STALLED = Fault("hang", system="redis", lasting=True)


def to_store(world: World) -> str:
    """A delivery in the queue."""
    world.send("FeedbackQueue", seeds.delivery("standard", {"id": 1, "title": "It is slow"}))
    return "FeedbackQueue"


def to_cluster(world: World) -> str:
    """A request to cluster what is pending."""
    seeds.feedback(world, ["It is slow"])
    world.send("ClusterQueue", json.dumps({"project": seeds.PROJECT}))
    return "ClusterQueue"


def to_dispatch(world: World) -> str:
    """A job whose task is to be started."""
    job = seeds.job(world, seeds.cluster(world), "queued")
    world.send("FixQueue", json.dumps({"job": job, "attempt": 1}))
    return "FixQueue"


@pytest.mark.parametrize("arrange", [to_store, to_cluster, to_dispatch])
def test_s13_a_consumer_gives_up_on_a_stalled_redis_and_gets_its_message_again(
    world: World, arrange: Callable[[World], str]
) -> None:
    """It fails within 2.5 s, long before the function's timeout, and is done when Redis is back."""
    seeds.project(world)
    world.drain(arrange(world))  # which warms the instance up
    state.clear(world)
    seeds.project(world)
    queue = arrange(world)
    with world.tap.faulty(STALLED):
        delivery = world.deliver(queue)
    assert delivery is not None
    assert delivery.failed == delivery.messages
    assert delivery.result.error not in ("timed out", "killed")
    assert delivery.result.seconds < SECONDS
    world.drain(queue)
    assert state.snapshot(world).queues == {}


def test_s13_the_api_answers_503_while_redis_is_stalled(world: World) -> None:
    """Within 2.5 s, and with a Retry-After."""
    seeds.project(world)
    path = f"/stats?project={seeds.PROJECT}"
    assert world.api("GET", path).status == 200
    with world.tap.faulty(STALLED):
        began = time.monotonic()
        answer = world.api("GET", path)
        assert time.monotonic() - began < SECONDS
    assert answer.status == 503
    assert "retry-after" in dict(answer.headers)


def test_s13_a_webhook_is_accepted_while_redis_is_stalled(world: World) -> None:
    """Within Sentry's one second, by a receiver that has never seen the source."""
    seeds.project(world)
    body, headers = seeds.signed("sentry", {"id": "1", "title": "KeyError: 'unit'"})
    with world.tap.faulty(STALLED), world.cold():
        answer = world.request("POST", seeds.webhook("sentry"), body=body, headers=headers)
    assert answer.status == 202
    world.drain("FeedbackQueue")
    assert state.counts(world, seeds.PROJECT)["stored"] == "1"
