import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.sources import standard
from tests.rules.samples import NOW, source, standard_event
from tests.rules.signed import (
    STANDARD_SECRET,
    flips,
    header_values,
    json_values,
    places,
    replaced,
    standard_headers,
)

SOURCE = source("standard", STANDARD_SECRET)
BODY = json.dumps(standard_event()).encode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"another key of thirty-two bytes!").decode()


def read(payload: Any, **headers: str) -> Feedback:
    given_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    found = standard.normalise(SOURCE, given_headers, payload, NOW)
    assert isinstance(found, Feedback)
    return found


def verify(headers: dict[str, str], body: bytes = BODY, *secrets: str, now: int = NOW) -> bool:
    return standard.verify(headers, body, secrets or (STANDARD_SECRET,), now)


def test_an_event_is_read() -> None:
    """Every field that we document arrives as it was meant."""
    more: dict[str, Any] = {
        "author": "ada",
        "url": "https://desk.example/17",
        "severity": "warning",
        "occurrences": 3,
        "updated_at": 1735639200,
    }
    found = read(standard_event(**more))
    assert (found.external_id, found.title, found.body) == (
        "t-17",
        "No undo",
        "I deleted everything.",
    )
    assert (found.channel, found.author, found.severity) == ("email", "ada", "warning")
    assert (found.url, found.occurrences) == ("https://desk.example/17", 3)
    assert (found.created_at, found.version) == (1735632000000, 1735639200000)
    assert found.open


def test_the_message_id_stands_in_for_an_id() -> None:
    """Without an id of its own an item is known by its message's, the same on each retry."""
    event = standard_event(id=None)
    assert read(event, webhook_id="msg_1").external_id == "msg_1"
    with pytest.raises(Unreadable) as caught:
        read(event)
    assert caught.value.field == "data.id"


@pytest.mark.parametrize(
    ("updated", "timestamp", "version"),
    [
        ("2024-12-31T10:00:00Z", "2024-12-31T09:00:00Z", 1735639200000),
        (None, "2024-12-31T09:00:00Z", 1735635600000),
        (None, None, 1735632000000),
    ],
)
def test_states_are_ordered_by_their_change(
    updated: str | None, timestamp: str | None, version: int
) -> None:
    """By when the item was changed, else when this was sent, else when the item was made."""
    event = standard_event(created_at="2024-12-31T08:00:00Z", updated_at=updated)
    found = read({**event, "timestamp": timestamp})
    assert (found.version, found.created_at) == (version, 1735632000000)


def test_a_settled_item_is_closed() -> None:
    """``resolved`` closes it; anything but true does not."""
    assert not read(standard_event(resolved=True)).open
    assert read(standard_event(resolved="yes")).open


def test_events_of_other_types_are_ignored() -> None:
    """A sender may send all its events here; only feedback counts."""
    assert isinstance(standard.normalise(SOURCE, {}, {"type": "invoice.paid"}, NOW), str)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "type"),
        ({"type": "feedback.created"}, "data"),
        (standard_event(title=None, text=None), "data.title or data.text"),
        (standard_event(severity="bad"), "data.severity"),
        (standard_event(created_at="soon"), "data.created_at"),
        (standard_event(occurrences="3"), "data.occurrences"),
    ],
)
def test_the_field_at_fault_is_named(payload: Any, field: str) -> None:
    """What our documentation asks for and the payload lacks is named."""
    with pytest.raises(Unreadable) as caught:
        read(payload)
    assert caught.value.field == field


def test_the_reference_library_is_understood() -> None:
    """What the specification's own package signs passes, under each known secret."""
    headers = standard_headers(BODY)
    assert verify(headers)
    assert verify(headers, BODY, OTHER_SECRET, STANDARD_SECRET)
    assert not verify(headers, BODY, OTHER_SECRET)


def test_one_right_signature_among_others_is_enough() -> None:
    """While a sender changes its secret it signs twice; schemes we don't know are passed over."""
    headers = standard_headers(BODY)
    right = headers["webhook-signature"]
    wrong = standard_headers(BODY, secret=OTHER_SECRET)["webhook-signature"]
    assert verify({**headers, "webhook-signature": f"v1a,AAAA {wrong} {right}"})
    assert not verify({**headers, "webhook-signature": f"v1a,AAAA {wrong}"})
    assert not verify({**headers, "webhook-signature": right.replace("v1,", "v2,")})


def test_a_secret_that_is_not_base64_is_taken_as_it_is() -> None:
    """People paste passwords; the same words sign on both sides."""
    key = "not base64, but long enough"
    same = "whsec_" + base64.b64encode(key.encode()).decode()
    assert verify(standard_headers(BODY, secret=same), BODY, key)


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(299, True), (-299, True), (301, False), (-301, False)]
)
def test_s03_a_replay_is_refused(seconds: int, accepted: bool) -> None:
    """A request that was signed more than five minutes ago, or from now, is refused."""
    assert verify(standard_headers(BODY), now=NOW + seconds * 1000) is accepted


def test_s02_a_flipped_byte_is_refused() -> None:
    """No byte of body, id, time or signature can be changed."""
    headers = standard_headers(BODY)
    assert not any(verify(headers, other) for other in flips(BODY))
    for name, value in headers.items():
        for other in flips(value.encode()):
            assert not verify({**headers, name: other.decode("latin-1")}), (name, other)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(standard.HEADERS, header_values)))
@example({"webhook-id": "m", "webhook-timestamp": "٣", "webhook-signature": "v1,"})
@example({"webhook-id": "\ud800", "webhook-timestamp": str(NOW // 1000)})
@example({"webhook-id": "m", "webhook-timestamp": "9" * 5_000, "webhook-signature": "v1,é"})
def test_no_header_makes_verification_fail_otherwise(headers: dict[str, str]) -> None:
    """Any headers are right or wrong, never an error."""
    assert verify(headers) is False


@given(st.data(), json_values)
def test_any_payload_is_feedback_or_unreadable(data: st.DataObject, value: Any) -> None:
    """With any value in any place, the item can be stored, is ignored, or the place is named."""
    payload = standard_event(
        author="a", url="https://a.example", severity="info", occurrences=1, resolved=False
    )
    path = data.draw(st.sampled_from(list(places(payload))))
    with suppress(Unreadable):
        found = standard.normalise(SOURCE, {}, replaced(payload, path, value), NOW)
        assert isinstance(found, str) or (found.document and found.text)
