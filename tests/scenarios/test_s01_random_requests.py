"""S01: requests that nobody documented, to every kind of source."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.rules.kinds import KEPT_HEADERS, KINDS
from tests.rules.signed import header_values, json_values, places, replaced
from tests.support import in_process, signing
from tests.support.in_process import Post
from tests.support.instance import Instance
from tests.support.signing import PROJECT, SCHEMES, WEBHOOKS
from tests.support.world import World

ANSWERS = {200, 202, 400, 401, 413}
EXAMPLES = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
names = st.sampled_from(sorted({*KEPT_HEADERS, "content-type"})) | st.from_regex(
    r"[a-z][a-z0-9-]{0,20}", fullmatch=True
)
headers = st.dictionaries(names, header_values, max_size=6)
bodies = st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode())


@pytest.fixture
def stored(world: World) -> World:
    """A source of every kind, which may send as much as it likes."""
    sources = [signing.source(kind, per_minute=10**6) for kind in KINDS]
    signing.put(world, *sources)
    return world


@pytest.fixture
def post(stored: World) -> Iterator[Post]:
    """The handler in this process."""
    with in_process.receiver(stored) as found:
        yield found


@EXAMPLES
@given(kind=st.sampled_from([*KINDS, "nobody", "%2e%2e", "a:b"]), headers=headers, body=bodies)
def test_s01_what_anybody_sends_has_a_clear_answer(
    stored: World, post: Post, kind: str, headers: dict[str, str], body: bytes
) -> None:
    """Random headers and bodies: refused, and never queued."""
    answer, sends = in_process.sent(stored, lambda: post(kind, body, headers))
    assert answer.status in ANSWERS - {200, 202}
    assert sends == 0


@st.composite
def signed(draw: st.DrawFn) -> tuple[str, bytes, dict[str, str]]:
    """A body that its sender signs: bytes, JSON, or a true payload with something else in it."""
    payload = draw(st.sampled_from([each for each in signing.payloads() if each.kind in WEBHOOKS]))
    other: Any = draw(json_values)
    shape = draw(st.sampled_from(["bytes", "json", "changed"]))
    if shape == "bytes":
        body = draw(st.binary(max_size=300))
    elif shape == "json":
        body = json.dumps(other).encode()
    else:
        path = draw(st.sampled_from(list(places(payload.body))))
        body = json.dumps(replaced(payload.body, path, other)).encode()
    spoilt = {
        name: value
        for name, value in draw(headers).items()
        if name != SCHEMES[payload.kind].header and name not in SCHEMES[payload.kind].covers
    }
    return payload.kind, body, {**signing.signed(payload, body=body), **spoilt}


@EXAMPLES
@given(request=signed())
def test_s01_what_is_signed_has_a_clear_answer(
    stored: World, post: Post, request: tuple[str, bytes, dict[str, str]]
) -> None:
    """Accepted, ignored, or named as unreadable; queued once when it is accepted, else never."""
    answer, sends = in_process.sent(stored, lambda: post(*request))
    assert answer.status in (200, 202, 400)
    assert sends == (answer.status == 202)
    assert ("field" in answer.body) == (answer.status == 400)


def test_s01_a_receiver_of_its_own_answers_the_same(stored: World) -> None:
    """The process as it is deployed lives through all of them, one after the other."""
    with stored.instance("ReceiveFunction") as receiver:

        @settings(EXAMPLES, max_examples=50)
        @given(request=signed(), stranger=headers, signs=st.booleans())
        def each(
            request: tuple[str, bytes, dict[str, str]], stranger: dict[str, str], signs: bool
        ) -> None:
            send(stored, receiver, *request[:2], request[2] if signs else stranger)

        each()
        assert receiver.alive


def send(world: World, receiver: Instance, kind: str, body: bytes, headers: dict[str, str]) -> None:
    """One request has one of the answers, and is queued when that is a 202."""
    with world.tap.recording() as calls:
        answer = signing.post(world, kind, body, headers, instance=receiver)
    assert answer.status in ANSWERS
    assert sum(call.system == "sqs" for call in calls) == (answer.status == 202)


def test_s01_what_is_no_route_is_a_404(stored: World) -> None:
    """Other methods and addresses never come to the receiver."""
    path = f"/webhooks/{PROJECT}/src_{PROJECT}_sentry"
    others = [("POST", "/webhooks"), ("POST", f"/webhooks/{PROJECT}"), ("POST", f"{path}/more")]
    for method, target in [*others, *((method, path) for method in ("GET", "PUT", "DELETE"))]:
        assert stored.request(method, target).status == 404, (method, target)
