"""S04: a source that sends the same event many times at once."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

from tests.support import seeds, state
from tests.support.world import World

TIMES = 50


def test_s04_the_same_sentry_event_fifty_times_at_once_is_one_item(world: World) -> None:
    """A new Request-ID each, fifty cold receivers: fifty times 2xx, and one item seen once."""
    seeds.project(world)
    body, headers = seeds.signed("sentry", {"id": "7", "title": "KeyError: 'unit'"})
    at_once = Barrier(TIMES)
    with ExitStack() as stack, ThreadPoolExecutor(TIMES) as pool:
        receivers = [stack.enter_context(world.instance("ReceiveFunction")) for _ in range(TIMES)]

        def send(number: int) -> int:
            given = {**headers, "request-id": str(uuid.uuid4())}
            at_once.wait()
            path, receiver = seeds.webhook("sentry"), receivers[number]
            return world.request("POST", path, body=body, headers=given, instance=receiver).status

        assert set(pool.map(send, range(TIMES))) == {202}

    with ExitStack() as stack, ThreadPoolExecutor(5) as pool:
        stores = [stack.enter_context(world.instance("StoreFunction")) for _ in range(5)]
        list(pool.map(lambda store: world.deliver("FeedbackQueue", instance=store), stores))
    world.drain("FeedbackQueue")

    (item,) = state.records(world, "fb").values()
    assert item["occurrences"] == "1"
    assert state.counts(world, seeds.PROJECT) == {"stored": "1", "source:sentry": "1"}
