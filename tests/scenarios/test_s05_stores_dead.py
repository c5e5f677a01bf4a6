"""S05: Redis and Gemini are dead while webhooks come in."""

from collections import Counter

from tests.support import seeds, state
from tests.support.instance import Instance
from tests.support.tap import Fault
from tests.support.world import World

WEBHOOKS = 500
DEAD = tuple(Fault("close", system=system, lasting=True) for system in ("redis", "gemini"))


def test_s05_what_came_while_redis_and_gemini_were_dead_is_stored_once(world: World) -> None:
    """500 signed webhooks and a forged one: all 202; later the 500 are there, the forged not."""
    seeds.project(world)
    with world.tap.faulty(*DEAD), world.instance("ReceiveFunction") as receiver:
        answers: Counter[int] = Counter()
        for number in range(WEBHOOKS):
            body, headers = seeds.signed("standard", {"id": number, "title": f"Report {number}"})
            if number == WEBHOOKS // 2:
                forged = body.replace(b"Report", b"Forged").replace(b"250", b"forged")
                answers[post(world, forged, headers, receiver)] += 1
            answers[post(world, body, headers, receiver)] += 1
        assert answers == {202: WEBHOOKS + 1}

        delivery = world.deliver("FeedbackQueue")
        assert delivery is not None
        assert delivery.failed == delivery.messages, "something was given up while Redis was dead"
        assert world.tick("ClusterFunction").error is not None

    world.drain("FeedbackQueue")
    assert world.tick("ClusterFunction").error is None
    items = state.records(world, "fb").values()
    assert {item["title"] for item in items} == {f"Report {n}" for n in range(WEBHOOKS)}
    counts = state.counts(world, seeds.PROJECT)
    assert (counts["stored"], counts["clustered"]) == (str(WEBHOOKS), str(WEBHOOKS))
    assert state.snapshot(world).queues == {}, "something was left over, or buried"


def post(world: World, body: bytes, headers: dict[str, str], receiver: Instance) -> int:
    """The status that a webhook is answered."""
    path = seeds.webhook("standard")
    return world.request("POST", path, body=body, headers=headers, instance=receiver).status
