"""S06: the queue does not take what the receiver has to hand over."""

import pytest

from tests.support import seeds, state
from tests.support.tap import Fault
from tests.support.world import World

FAULTS = {
    "refuses": Fault(403, system="sqs", lasting=True),
    "fails": Fault(500, system="sqs", lasting=True),
    "hangs up": Fault("close", system="sqs", lasting=True),
    "says nothing": Fault("hang", system="sqs", lasting=True),
    "loses its answer": Fault("close", applied=True, system="sqs", lasting=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_s06_a_queue_that_does_not_take_a_delivery_is_a_5xx(world: World, fault: Fault) -> None:
    """Never a 2xx, which would lose it, nor a 4xx, after which nobody sends again."""
    seeds.project(world)
    body, headers = seeds.signed("sentry", {"id": "7", "title": "KeyError: 'unit'"})

    def send() -> int:
        return world.request("POST", seeds.webhook("sentry"), body=body, headers=headers).status

    with world.tap.faulty(fault):
        assert send() == 503
    assert send() == 202
    world.drain("FeedbackQueue")
    assert state.counts(world, seeds.PROJECT)["stored"] == "1"
