import base64
import json
import zlib
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulcaster.rules import delivery
from soulcaster.rules.delivery import MAX_BODY_BYTES, MAX_MESSAGE_BYTES, Delivery, pack, unpack
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.filters import Filters
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.readings import Reading
from tests.rules.samples import (
    NOW,
    PROJECT,
    github_issue,
    sentry_event,
    sentry_issue,
    source,
    standard_event,
    submission,
)
from tests.rules.signed import hex_hmac, json_values, replaced

HEADERS = {"x-github-event": "issues", "x-hub-signature-256": "sha256=00"}


def arrived(body: bytes, kind: str | None = "github", **headers: str) -> Delivery:
    """A delivery, verified on arrival unless ``kind`` is None."""
    return Delivery(
        project=PROJECT,
        source_id=f"src_{PROJECT}_{kind or 'github'}",
        source=source(kind) if kind else None,
        headers={**HEADERS, **headers},
        body=body,
        received_at=NOW,
    )


def only(delivered: Delivery, kind: str) -> Reading:
    """The one thing that a delivery of a source of that kind says."""
    found = delivery.read(delivered, source(kind))
    assert not isinstance(found, str)
    (reading,) = found
    return reading


@given(st.binary(), st.sampled_from([None, *KINDS]))
def test_a_delivery_survives_the_queue(body: bytes, kind: str | None) -> None:
    """Any bytes come out of the message as they went in."""
    sent = arrived(body, kind)
    assert Delivery.from_message(sent.message()) == sent


def test_no_secret_goes_into_the_queue() -> None:
    """The message names the source and holds none of its secrets, nor one that a sender showed."""
    sent = replace(
        arrived(b"{}", **{"x-soulcaster-secret": "very-secret"}),
        source=source("datadog", "very-secret"),
    )
    assert "very-secret" not in sent.message()
    assert "x-github-event" in sent.message()


def test_what_is_read_of_a_delivery_does_not_change_on_the_way() -> None:
    """The consumer reads it by the settings and the filters that the source had on arrival."""
    made = replace(
        source("reddit", subreddits=["larder"]),
        filters=Filters(exclude=("spam",), severity="error"),
    )
    sent = replace(arrived(b"{}", "reddit"), source=made)
    assert Delivery.from_message(sent.message()).source == made


def test_the_largest_body_is_taken_and_no_larger() -> None:
    """What ``unpack`` gives is never more than a delivery may hold."""
    assert len(unpack(pack(b"x" * MAX_BODY_BYTES))) == MAX_BODY_BYTES
    with pytest.raises(Unreadable, match="too large"):
        unpack(pack(b"x" * (MAX_BODY_BYTES + 1)))


def test_a_bomb_is_not_unpacked() -> None:
    """A small message that would unpack to a hundred megabytes is refused after the first one."""
    packer = zlib.compressobj(9)
    chunk = b"\0" * 1_000_000
    bomb = b"".join(packer.compress(chunk) for _ in range(100)) + packer.flush()
    assert len(bomb) < MAX_MESSAGE_BYTES
    with pytest.raises(Unreadable, match="too large"):
        unpack(base64.b64encode(bomb).decode())


@pytest.mark.parametrize(
    "text",
    [
        "!!!",
        "é",
        "AAAA",
        "",
        base64.b64encode(zlib.compress(b"x" * 999)[:-3]).decode(),
        pack(b"x" * 999)[:-4],
    ],
)
def test_what_was_not_packed_is_unreadable(text: str) -> None:
    """Garbage and what was cut short are refused, never half read."""
    with pytest.raises(Unreadable) as caught:
        unpack(text)
    assert caught.value.field == "body"


@pytest.mark.parametrize(
    "change",
    [
        *({"v": 2}, {"v": None}, {"project": 5}, {"project": ["a"]}, {"source_id": None}),
        *({"kind": "pigeon"}, {"kind": 5}, {"name": None}, {"headers": None}, {"headers": ["a"]}),
        *({"headers": {"x-github-event": 5}}, {"body": 5}, {"body": "%"}, {"received_at": "now"}),
        {"received_at": None},
    ],
)
def test_the_member_at_fault_is_named(change: dict[str, Any]) -> None:
    """A message in which one member is wrong is refused for that one."""
    message = {**json.loads(arrived(b"{}").message()), **change}
    with pytest.raises(Unreadable) as caught:
        Delivery.from_message(json.dumps(message))
    assert caught.value.field == next(iter(change))


@given(st.text() | json_values.map(json.dumps))
@example("[" * 100_000)
@example("null")
@example('{"v": 1}')
def test_garbage_in_the_queue_is_unreadable(message: str) -> None:
    """No text that is not a delivery is taken for one, or ends in another error."""
    with pytest.raises(Unreadable):
        Delivery.from_message(message)


@given(st.sampled_from(["project", "headers", "body", "kind", "v"]), json_values)
def test_any_member_may_be_garbage(name: str, value: Any) -> None:
    """With any value in any place it is a delivery that can be read further, or unreadable."""
    message = {**json.loads(arrived(b"{}").message()), name: value}
    with suppress(Unreadable):
        found = Delivery.from_message(json.dumps(message))
        assert isinstance(delivery.read(found, found.source or source("github")), str | Feedback)


def test_only_known_headers_are_kept() -> None:
    """Cookies and addresses of senders go no further; names are lower case from here on."""
    headers = {"X-GitHub-Event": "ping", "Cookie": "a=b", "X-Forwarded-For": "203.0.113.7"}
    assert delivery.kept(headers) == {"x-github-event": "ping"}


def test_a_delivery_is_verified_as_of_its_arrival() -> None:
    """However long it waited, what counts is when it came and which secrets are known now."""
    body = json.dumps(github_issue()).encode()
    sent = arrived(body, None, **{"x-hub-signature-256": "sha256=" + hex_hmac(body, "s")})
    late = Delivery.from_message(sent.message())
    assert delivery.verified(late, source("github", "s"))
    assert not delivery.verified(late, source("github", "other"))
    assert not delivery.verified(late, source("github"))


@pytest.mark.parametrize(
    ("kind", "headers", "payload"),
    [
        ("github", {}, github_issue()),
        ("sentry", {"sentry-hook-resource": "issue"}, sentry_issue()),
        ("sentry", {"sentry-hook-resource": "event_alert"}, sentry_event()),
        ("reddit", {}, submission()),
        ("standard", {}, standard_event()),
    ],
)
def test_every_kind_is_read(kind: str, headers: dict[str, str], payload: Any) -> None:
    """A documented payload of each kind becomes feedback of its project and source."""
    found = only(arrived(json.dumps(payload).encode(), kind, **headers), kind)
    assert isinstance(found, Feedback)
    assert (found.project, found.source_id) == (PROJECT, f"src_{PROJECT}_{kind}")
    assert found.received_at == NOW


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff\xfe", b"null", b"[]", b'"x"', b"5", b"{'a': 1}", b"[" * 200_000),
        b'{"a":' * 9_990 + b"1" + b"}" * 9_990,
        b'{"v": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_body_that_is_no_object_is_unreadable(body: bytes) -> None:
    """Whatever a signed body holds, it is read or named as unreadable."""
    with pytest.raises(Unreadable):
        delivery.read(arrived(body), source("github"))


def test_deep_values_are_unreadable() -> None:
    """A value that can be parsed, but not shown, does not end the consumer."""
    deep = json.dumps(sentry_issue(culprit="DEEP")).replace('"DEEP"', "[" * 9_900 + "]" * 9_900)
    sent = arrived(deep.encode(), "sentry", **{"sentry-hook-resource": "issue"})
    with suppress(Unreadable):
        delivery.read(sent, source("sentry"))


@pytest.mark.parametrize(
    ("kind", "payload", "path"),
    [
        ("github", github_issue(), ("issue", "user", "login")),
        ("github", github_issue(), ("issue", "labels", 0, "name")),
        ("github", github_issue(), ("repository", "full_name")),
        ("standard", standard_event(author="x"), ("data", "author")),
        ("standard", standard_event(), ("data", "id")),
        ("standard", standard_event(url="x"), ("data", "url")),
        ("standard", standard_event(), ("data", "text")),
        ("sentry", sentry_issue(), ("data", "issue", "shortId")),
        ("reddit", submission(), ("author",)),
    ],
)
def test_half_a_character_can_be_stored(kind: str, payload: Any, path: tuple[Any, ...]) -> None:
    """Half of a surrogate pair, which JSON can say and UTF-8 can't, is replaced everywhere."""
    body = json.dumps(replaced(payload, path, "https://a.example/\ud83d!")).encode()
    assert b"\\ud83d" in body
    found = only(arrived(body, kind, **{"sentry-hook-resource": "issue"}), kind)
    assert isinstance(found, Feedback)
    assert found.document.encode()
    assert "a.example/?!" in found.document


def test_a_whole_pair_is_one_character() -> None:
    """Characters beyond the first plane come through, escaped or not."""
    for text in (
        json.dumps(github_issue(title="🥫")),
        json.dumps(github_issue(title="🥫"), ensure_ascii=False),
    ):
        found = only(arrived(text.encode()), "github")
        assert isinstance(found, Feedback)
        assert found.title == "🥫"
