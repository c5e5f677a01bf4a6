"""S03: a valid request is sent again later, or comes from a clock that is wrong."""

import pytest

from soulcaster.edges.clock import now_ms
from tests.support import signing
from tests.support.signing import SCHEMES, WEBHOOKS
from tests.support.world import World

TIMED = [kind for kind in WEBHOOKS if "timestamp" in " ".join(SCHEMES[kind].covers)]


@pytest.mark.parametrize("kind", TIMED)
@pytest.mark.parametrize(("seconds", "status"), [(301, 401), (299, 202), (-299, 202), (-301, 401)])
def test_s03_a_request_is_good_for_five_minutes(
    world: World, kind: str, seconds: int, status: int
) -> None:
    """By its signed time, before or after the receiver's; then its signature is none."""
    signing.put(world)
    payload = signing.one(kind, "feedback")
    with world.instance("ReceiveFunction") as receiver:
        # A start may take longer than the second that is left to 300.
        assert signing.post(world, kind, payload.raw, {}, instance=receiver).status == 401
        now = now_ms()
        headers = signing.signed(payload, at=now // 1000)
        # The receiver's clock, counted from the full second of the signature on.
        ahead = seconds * 1000 - now % 1000
        answer = signing.post(world, kind, payload.raw, headers, instance=receiver, ahead_ms=ahead)
    assert answer.status == status
    assert len(signing.queued(world)) == (status == 202)


def test_s03_there_is_a_scheme_that_signs_its_time() -> None:
    """Standard Webhooks does; a vendor that does not can't be held to one."""
    assert "standard" in TIMED
