"""S08: a source's secret is replaced while its sender still uses the old one."""

from collections.abc import Iterator

import pytest

from soulcaster.edges.clock import now_ms
from soulcaster.rules.source import Retiring
from tests.support import signing
from tests.support.instance import Instance
from tests.support.signing import WEBHOOKS
from tests.support.world import World

OVERLAP_MS = 3_600_000


def rotate(world: World, kind: str, until: int) -> None:
    """The second secret in place of the first, which is good until then (ms)."""
    retiring = (Retiring(signing.secret(kind), until),)
    secrets = (signing.secret(kind, 2),)
    signing.put(world, signing.source(kind, secrets=secrets, retiring=retiring))


def status(world: World, kind: str, number: int, *, receiver: Instance, ahead_ms: int = 0) -> int:
    """What a delivery signed with that secret is answered, with the receiver's clock ahead."""
    payload, at = signing.one(kind, "feedback"), (now_ms() + ahead_ms) // 1000
    headers = signing.signed(payload, at=at, number=number)
    answer = signing.post(world, kind, payload.raw, headers, instance=receiver, ahead_ms=ahead_ms)
    return answer.status


@pytest.fixture(params=["cold", "warm"])
def receiver(world: World, kind: str, request: pytest.FixtureRequest) -> Iterator[Instance]:
    """A receiver that has never seen the source, or one that remembers how it was."""
    signing.put(world)
    with world.instance("ReceiveFunction") as instance:
        if request.param == "warm":
            assert status(world, kind, 1, receiver=instance) == 202
        yield instance


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_s08_old_and_new_pass_during_the_overlap(
    world: World, receiver: Instance, kind: str
) -> None:
    """From the moment of the rotation, in any order; the retired one is a 401 when it is over."""
    rotate(world, kind, now_ms() + OVERLAP_MS)
    for number in (2, 1, 2, 1):
        assert status(world, kind, number, receiver=receiver) == 202
    assert status(world, kind, 3, receiver=receiver) == 401
    assert status(world, kind, 1, receiver=receiver, ahead_ms=OVERLAP_MS - 60_000) == 202
    assert status(world, kind, 1, receiver=receiver, ahead_ms=OVERLAP_MS) == 401
    assert status(world, kind, 2, receiver=receiver, ahead_ms=OVERLAP_MS) == 202


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_s08_without_an_overlap_the_old_one_is_out(world: World, kind: str) -> None:
    """A receiver that has not seen the source before takes the new secret alone."""
    rotate(world, kind, now_ms())
    with world.instance("ReceiveFunction") as cold:
        assert status(world, kind, 1, receiver=cold) == 401
        assert status(world, kind, 2, receiver=cold) == 202
