"""S02: a byte of what was signed is another one when it arrives."""

import hmac
from collections.abc import Iterator

import pytest

from tests.rules.signed import flips
from tests.support import in_process, signing
from tests.support.in_process import Post
from tests.support.signing import SCHEMES, WEBHOOKS, Payload
from tests.support.world import World

SENT_BY_A_PROCESS = 40


@pytest.fixture
def stored(world: World) -> World:
    """A source of each kind."""
    signing.put(world)
    return world


@pytest.fixture
def post(stored: World) -> Iterator[Post]:
    """The handler in this process."""
    with in_process.receiver(stored) as found:
        yield found


def changed(payload: Payload) -> list[tuple[bytes, dict[str, str]]]:
    """The request with each byte changed of what the scheme signs: body and headers.

    Where it signs nothing, the secret itself is what must not change. Bytes that no header can
    have are left out.
    """
    scheme, headers = SCHEMES[payload.kind], signing.signed(payload)
    found = [(body, headers) for body in flips(payload.raw)] if scheme.body else []
    for name in scheme.covers or (scheme.header,):
        values = [each.decode("latin-1") for each in flips(headers[name].encode())]
        found += [
            (payload.raw, {**headers, name: value})
            for value in values
            if value.isprintable() and value.strip() == value
        ]
    return found


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_s02_any_flipped_byte_is_a_401(stored: World, post: Post, kind: str) -> None:
    """Each byte by one bit and by all of them; the request as it was is accepted."""
    payload = signing.one(kind, "feedback")
    requests = changed(payload)
    assert len(requests) > 40
    with stored.tap.recording() as calls:
        for body, headers in requests:
            assert post(kind, body, headers).status == 401, (body, headers)
    assert not [call for call in calls if call.system == "sqs"]
    assert post(kind, payload.raw, signing.signed(payload)).status == 202


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_s02_a_receiver_of_its_own_finds_them_too(stored: World, kind: str) -> None:
    """As it is deployed, for some of the bytes from the first to the last."""
    payload = signing.one(kind, "feedback")
    requests = changed(payload)
    with stored.instance("ReceiveFunction") as receiver:
        for body, headers in requests[:: max(1, len(requests) // SENT_BY_A_PROCESS)]:
            assert signing.post(stored, kind, body, headers, instance=receiver).status == 401
    assert signing.queued(stored) == []


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_s02_secrets_are_compared_in_constant_time(
    stored: World, post: Post, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is given is compared by the function made for it; without that nobody gets in."""
    payload = signing.one(kind, "feedback")
    headers = signing.signed(payload)
    # The source is remembered: Redis compares its token by the same function.
    assert post(kind, payload.raw, headers).status == 202
    compared: list[bytes] = []

    def never(given: bytes, expected: bytes) -> bool:
        compared.append(given)
        return False

    monkeypatch.setattr(hmac, "compare_digest", never)
    assert post(kind, payload.raw, headers).status == 401
    assert headers[SCHEMES[kind].header].encode() in compared
