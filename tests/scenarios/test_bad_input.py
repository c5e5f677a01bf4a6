"""What each kind of webhook is answered when something is wrong with what it sends."""

import json
from collections.abc import Iterator

import pytest

from tests.support import signing, state
from tests.support.instance import Instance
from tests.support.signing import PROJECT, SCHEMES, WEBHOOKS, Answer
from tests.support.world import World


@pytest.fixture
def receiver(world: World) -> Iterator[Instance]:
    """A receiver that has seen nothing yet, with a source of each kind."""
    signing.put(world)
    with world.instance("ReceiveFunction") as instance:
        yield instance


def health(world: World, kind: str) -> dict[str, str]:
    """What is noted of the source of a kind."""
    flat = state.redis(world, "HGETALL", f"p:{PROJECT}:source:src_{PROJECT}_{kind}")
    return dict(zip(flat[::2], flat[1::2], strict=True))


def test_every_kind_has_a_scheme_and_true_payloads() -> None:
    """A new kind is tested here as soon as it says how it is signed and what it sends."""
    assert set(SCHEMES) == set(WEBHOOKS)
    for kind in WEBHOOKS:
        assert signing.one(kind, "feedback")
        assert signing.one(kind, "ignored")


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_a_wrong_signature_is_a_401(world: World, receiver: Instance, kind: str) -> None:
    """Another secret's signature, or a piece of the right one; and people learn of it."""
    payload = signing.one(kind, "feedback")
    right, header = signing.signed(payload), SCHEMES[kind].header
    for wrong in (
        signing.signed(payload, number=2),
        {**right, header: right[header][:-1]},
        {**right, header: right[header] + "0"},
        {**right, header: ""},
    ):
        assert signing.post(world, kind, payload.raw, wrong, instance=receiver).status == 401
    assert signing.queued(world) == []
    noted = health(world, kind)
    assert noted["last_error"] == "the signature is missing or wrong"
    assert int(noted["last_error_at"]) > 0


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_a_missing_signature_is_a_401(world: World, receiver: Instance, kind: str) -> None:
    """So is every other header missing that the signature covers."""
    payload = signing.one(kind, "feedback")
    for name in (SCHEMES[kind].header, *SCHEMES[kind].covers):
        headers = signing.signed(payload)
        del headers[name]
        assert signing.post(world, kind, payload.raw, headers, instance=receiver).status == 401
    assert signing.queued(world) == []


def refused(world: World, kind: str, answer: Answer, field: str) -> None:
    """It is a 400 that names the field, people learn of it, and nothing was queued."""
    assert answer.status == 400, answer
    assert answer.body["field"] == field
    assert answer.body["error"].startswith(f"{field}: ")
    assert health(world, kind)["last_error"] == answer.body["error"]
    assert signing.queued(world) == []


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_a_wrong_content_type_is_a_400(world: World, receiver: Instance, kind: str) -> None:
    """A form or plain text, well signed: the answer says what to set at the sender."""
    payload = signing.one(kind, "feedback")
    for given in ("application/x-www-form-urlencoded", "text/plain; charset=utf-8"):
        headers = {**signing.signed(payload), "content-type": given}
        answer = signing.post(world, kind, payload.raw, headers, instance=receiver)
        refused(world, kind, answer, "content-type")
        assert "application/json" in answer.body["error"]


@pytest.mark.parametrize("kind", WEBHOOKS)
@pytest.mark.parametrize("given", ["", "{", "\xff\xfe{}", "[1, 2]", '"text"', "NaN", "[" * 50_000])
def test_what_is_no_json_object_is_a_400(
    world: World, receiver: Instance, kind: str, given: str
) -> None:
    """Nothing, half of something, another encoding, no object, or no end of brackets."""
    payload, body = signing.one(kind, "feedback"), given.encode("latin-1")
    headers = signing.signed(payload, body=body)
    answer = signing.post(world, kind, body, headers, instance=receiver)
    refused(world, kind, answer, "body")


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_json_of_another_shape_is_a_400_that_names_the_field(
    world: World, receiver: Instance, kind: str
) -> None:
    """An object that is not what the vendor documents; nothing of what it holds is repeated."""
    payload = signing.one(kind, "feedback")
    body = json.dumps({"unheard-of": {"secret-word": 1}}).encode()
    headers = signing.signed(payload, body=body)
    answer = signing.post(world, kind, body, headers, instance=receiver)
    refused(world, kind, answer, answer.body["field"])
    assert answer.body["field"] not in ("body", "content-type")
    assert "secret-word" not in json.dumps(answer.body)


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_two_megabytes_are_a_413(world: World, receiver: Instance, kind: str) -> None:
    """Signed or not, they are not read."""
    payload = signing.one(kind, "feedback")
    body = json.dumps({"padding": "x" * 2_000_000}).encode()
    for headers in ({}, signing.signed(payload, body=body)):
        assert signing.post(world, kind, body, headers, instance=receiver).status == 413
    assert signing.queued(world) == []


IGNORED = [
    each for each in signing.payloads() if each.becomes == ("ignored",) and each.kind in WEBHOOKS
]


@pytest.mark.parametrize("payload", IGNORED, ids=lambda each: f"{each.kind}-{each.name}")
def test_a_known_event_that_is_none_of_our_business_is_a_200(
    world: World, receiver: Instance, payload: signing.Payload
) -> None:
    """The sender did nothing wrong: it is told why, nothing is queued, and that it came is seen."""
    headers = signing.signed(payload)
    answer = signing.post(world, payload.kind, payload.raw, headers, instance=receiver)
    assert (answer.status, answer.body["status"]) == (200, "ignored")
    assert answer.body["reason"]
    assert signing.queued(world) == []
    noted = health(world, payload.kind)
    assert int(noted["last_delivery"]) > 0
    assert "last_error" not in noted


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_what_is_right_is_a_202(world: World, receiver: Instance, kind: str) -> None:
    """The same request with nothing spoilt is queued: it is what was spoilt that was refused."""
    payload = signing.one(kind, "feedback")
    headers = signing.signed(payload)
    assert signing.post(world, kind, payload.raw, headers, instance=receiver).status == 202
    assert len(signing.queued(world)) == 1
    assert health(world, kind) == {}


def test_what_is_no_source_is_a_401(world: World, receiver: Instance) -> None:
    """Sources that have no webhook, or are not there, are told apart from none by nobody."""
    payload = signing.one("sentry", "feedback")
    headers = signing.signed(payload)
    for kind in ("reddit", "form", "api", "file", "nobody"):
        assert signing.post(world, kind, payload.raw, headers, instance=receiver).status == 401
    assert signing.queued(world) == []
    assert state.redis(world, "KEYS", f"p:{PROJECT}:source:*") == []
