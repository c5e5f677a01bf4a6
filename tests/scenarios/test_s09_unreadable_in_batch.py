"""S09: some messages of a batch can't be read."""

import json

import pytest

from tests.support import seeds, state
from tests.support.world import World


def altered(**fields: object) -> str:
    """A message like ours, with some of its fields changed."""
    message = json.loads(seeds.delivery("standard", {"id": "x", "title": "Anything"}))
    return json.dumps({**message, **fields})


UNREADABLE = {
    "no JSON": "}",
    "no object": "[1]",
    "nothing": "{}",
    "another version": altered(v=2),
    "a kind of later code": altered(kind="telepathy"),
    "a body that is not packed": altered(body="zzz"),
    "headers that are none": altered(headers=["webhook-id"]),
    "a project that is none": altered(project=["larder"], kind=None),
    "no time": altered(received_at="now"),
}


@pytest.mark.parametrize("unreadable", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_s09_exactly_the_unreadable_messages_of_a_batch_are_reported(
    world: World, unreadable: str
) -> None:
    """Of ten, numbers 3 and 7 come again; the other eight are stored."""
    seeds.project(world)
    bodies = [
        seeds.delivery("standard", {"id": n, "title": f"Report {n}"}, verified=n % 2 == 0)
        for n in range(10)
    ]
    bodies[3] = unreadable
    bodies[7] = altered(body=json.loads(seeds.delivery("standard", {"id": 7}))["body"])
    world.send("FeedbackQueue", *bodies)

    delivery = world.deliver("FeedbackQueue")

    assert delivery is not None
    assert delivery.result.error is None
    assert len(delivery.messages) == 10
    reported = {each["itemIdentifier"] for each in delivery.result.payload["batchItemFailures"]}
    unread = {m["MessageId"] for m in delivery.messages if m["Body"] in (bodies[3], bodies[7])}
    assert reported == unread
    items = [v for k, v in state.stored(world).items() if k.startswith("p:larder:fb:")]
    assert {item["title"] for item in items} == {
        f"Report {n}" for n in range(10) if n not in (3, 7)
    }
