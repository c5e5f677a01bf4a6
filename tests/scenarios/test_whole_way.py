"""Every true payload that is feedback, from its sender to the list that people read."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from soulcaster.edges.clock import now_ms
from soulcaster.rules.delivery import Delivery, kept
from tests.support import signing
from tests.support.signing import PROJECT, WEBHOOKS, Payload
from tests.support.world import World

FEEDBACK = [each for each in signing.payloads() if "feedback" in each.becomes]


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def come(world: World, payload: Payload) -> None:
    """It is posted as its vendor does; what is polled is put on the queue as the poll does."""
    if payload.kind in WEBHOOKS:
        headers = signing.signed(payload)
        answer = signing.post(world, payload.kind, payload.raw, headers)
        assert answer.status == 202, answer
        return
    source = signing.source(payload.kind)
    delivery = Delivery(
        project=PROJECT,
        source_id=source.id,
        source=source,
        headers=kept(payload.headers),
        body=payload.raw,
        received_at=now_ms(),
    )
    world.send("FeedbackQueue", delivery.message())


@pytest.mark.parametrize("payload", FEEDBACK, ids=lambda each: f"{each.kind}-{each.name}")
def test_a_true_payload_becomes_an_item_that_people_read(world: World, payload: Payload) -> None:
    """One item of its kind, whose title and address are in what the vendor sent."""
    kinds = {*WEBHOOKS, payload.kind}
    signing.put(world, *(signing.source(kind) for kind in sorted(kinds)))
    come(world, payload)
    world.drain("FeedbackQueue")
    (item,) = world.made("GET", f"/feedback?project={PROJECT}")["items"]
    assert item["source"] == payload.kind
    said = list(texts(payload.body))
    assert any(item["title"] in text for text in said)
    addresses = [text for text in said if text.startswith("http")]
    assert item["url"] in addresses if addresses else item["url"] is None


def test_a_payload_sent_again_is_the_same_item(world: World) -> None:
    """Of each kind; a redelivery is no second report."""
    signing.put(world)
    for _ in range(2):
        for kind in WEBHOOKS:
            come(world, signing.one(kind, "feedback"))
        world.drain("FeedbackQueue")
    found = world.made("GET", f"/feedback?project={PROJECT}")["items"]
    assert sorted(item["source"] for item in found) == sorted(WEBHOOKS)


def test_what_a_project_does_not_want_stays_outside(world: World) -> None:
    """A source's filters hold at the door: 200 with the reason, and no item."""
    payload = signing.one("sentry", "feedback")
    wanted = signing.source("sentry")
    signing.put(world, replace(wanted, filters=replace(wanted.filters, include=("unheard-of",))))
    with world.instance("ReceiveFunction") as cold:
        headers = signing.signed(payload)
        answer = signing.post(world, "sentry", payload.raw, headers, instance=cold)
    assert (answer.status, answer.body["status"]) == (200, "ignored")
    assert signing.queued(world) == []
