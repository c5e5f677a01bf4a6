"""Quotas of a project and rates of a source, kept where webhooks come in."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest

from soulcaster.edges.clock import now_ms
from soulcaster.rules.day import day_of, until_tomorrow
from soulcaster.rules.quota import PENDING_RETRY_SECONDS
from tests.support import signing, state
from tests.support.instance import Instance
from tests.support.signing import PROJECT, Answer
from tests.support.tap import Fault
from tests.support.world import World

MINUTE_MS = 60_000


@pytest.fixture
def receiver(world: World) -> Iterator[Instance]:
    """A receiver that remembers nothing yet."""
    with world.instance("ReceiveFunction") as instance:
        yield instance


def send(world: World, receiver: Instance, number: int, ahead_ms: int = 0) -> Answer:
    """A new item comes in, with the clock so far ahead."""
    payload = signing.one("standard", "feedback")
    data = {**payload.body["data"], "id": f"ticket-{number}"}
    payload = replace(payload, body={**payload.body, "data": data})
    headers = signing.signed(payload, at=(now_ms() + ahead_ms) // 1000)
    given = (world, "standard", payload.raw, headers)
    return signing.post(*given, instance=receiver, ahead_ms=ahead_ms)


def refused(world: World) -> tuple[int, int]:
    """How many deliveries of the day, and of the source, are counted as refused."""
    of_day = state.redis(world, "HGET", f"p:{PROJECT}:intake:{day_of(now_ms())}", "refused")
    source = f"p:{PROJECT}:source:src_{PROJECT}_standard"
    return int(of_day or 0), int(state.redis(world, "HGET", source, "refused") or 0)


def to_the_middle_of_a_minute() -> int:
    """How far (ms) a clock has to be ahead, or behind, to be half a minute past a full one."""
    return MINUTE_MS // 2 - now_ms() % MINUTE_MS


def test_a_days_items_are_a_quota(world: World, receiver: Instance) -> None:
    """What is over is a 429 until tomorrow, counted, and nothing of it is stored; what was accepted
    is stored whole. The door opens at once when there is room.
    """
    signing.put(world, items_per_day=3)
    assert [send(world, receiver, number).status for number in range(3)] == [202] * 3
    world.drain("FeedbackQueue")
    for count in (1, 2):
        before = until_tomorrow(now_ms())
        answer = send(world, receiver, 3)
        assert answer.status == 429
        assert "3 new items a day" in answer.body["error"]
        after = until_tomorrow(now_ms())
        assert int(answer.headers["retry-after"]) in range(after, before + 1)
        assert refused(world) == (count, count)
    assert signing.queued(world) == []
    assert len(state.records(world, "fb")) == 3

    signing.put(world, items_per_day=4)
    assert send(world, receiver, 3).status == 202
    world.drain("FeedbackQueue")
    assert len(state.records(world, "fb")) == 4
    assert send(world, receiver, 4).status == 429
    assert refused(world) == (3, 3)


def test_what_waits_to_be_clustered_is_a_quota(world: World, receiver: Instance) -> None:
    """A 429 for a minute, until clustering has caught up."""
    signing.put(world, pending_items=2)
    assert [send(world, receiver, number).status for number in range(2)] == [202] * 2
    world.drain("FeedbackQueue")
    answer = send(world, receiver, 2)
    assert (answer.status, answer.headers["retry-after"]) == (429, str(PENDING_RETRY_SECONDS))
    assert world.tick("ClusterFunction").error is None
    assert send(world, receiver, 2).status == 202


def test_another_receiver_keeps_the_quota_too(world: World, receiver: Instance) -> None:
    """One that has taken nothing itself knows it from its first look."""
    signing.put(world, items_per_day=1)
    assert send(world, receiver, 0).status == 202
    world.drain("FeedbackQueue")
    with world.instance("ReceiveFunction") as other:
        assert send(world, other, 1).status == 429


def test_a_quota_is_for_new_items_alone(world: World, receiver: Instance) -> None:
    """What is said of items that are there comes in, whatever was used up; so does a ping."""
    signing.put(world, items_per_day=0)
    for kind, becomes, status in (
        ("sentry", "evidence", 202),
        ("sentry", "settled", 202),
        ("github", "news", 202),
        ("github", "ignored", 200),
        ("sentry", "feedback", 429),
    ):
        payload = signing.one(kind, becomes)
        headers = signing.signed(payload)
        answer = signing.post(world, kind, payload.raw, headers, instance=receiver)
        assert answer.status == status, (kind, becomes)
    assert refused(world)[0] == 1


def test_with_redis_down_a_used_up_quota_refuses_nothing(world: World, receiver: Instance) -> None:
    """Whether there is room is not known then; what comes is taken and stored later."""
    signing.put(world, items_per_day=1)
    assert send(world, receiver, 0).status == 202
    with world.tap.faulty(Fault("close", system="redis", lasting=True)):
        assert send(world, receiver, 1).status == 202
    world.drain("FeedbackQueue")
    assert len(state.records(world, "fb")) == 2


def test_a_source_has_a_rate(world: World, receiver: Instance) -> None:
    """What comes too fast is a 429 to the end of the minute, by the receiver's clock; each is
    counted, by fewer requests than there are.
    """
    slow = signing.source("standard", per_minute=2)
    signing.put(world, slow)
    ahead = to_the_middle_of_a_minute()
    assert [send(world, receiver, number, ahead).status for number in range(2)] == [202] * 2
    answer = send(world, receiver, 2, ahead)
    assert answer.status == 429
    assert "2 deliveries a minute" in answer.body["error"]
    assert int(answer.headers["retry-after"]) in range(20, 31)
    source = f"p:{PROJECT}:source:src_{PROJECT}_standard"
    assert state.redis(world, "HGET", source, "refused") == "1"
    assert len(signing.queued(world)) == 2
    assert send(world, receiver, 2, ahead + MINUTE_MS).status == 202


def test_a_warm_accept_asks_the_queue_alone(world: World, receiver: Instance) -> None:
    """Quotas and rates cost no request as long as there is room."""
    signing.put(world)
    assert send(world, receiver, 0).status == 202
    with world.tap.recording() as calls:
        assert send(world, receiver, 1).status == 202
    assert [call.system for call in calls] == ["sqs"]


@pytest.mark.parametrize("deed", ["close", "hang"])
def test_a_note_that_fails_changes_no_answer(
    world: World, receiver: Instance, deed: Literal["close", "hang"]
) -> None:
    """People are told what is wrong when Redis can be reached; the sender is always."""
    signing.put(world)
    assert send(world, receiver, 0).status == 202
    payload = signing.one("standard", "ignored")
    fault = Fault(deed, system="redis", lasting=True)
    with world.tap.faulty(fault):
        for body, status in ((payload.raw, 200), (b"{}", 400)):
            headers = signing.signed(payload, body=body)
            answer = signing.post(world, "standard", body, headers, instance=receiver)
            assert answer.status == status
        assert signing.post(world, "standard", b"{}", {}, instance=receiver).status == 401
