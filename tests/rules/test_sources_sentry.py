import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.readings import Settled
from soulcaster.rules.sources import sentry
from tests.rules.samples import NOW, frame, sentry_event, sentry_issue, source
from tests.rules.signed import (
    HEX_SECRET,
    flips,
    header_values,
    hex_hmac,
    json_values,
    places,
    replaced,
)

SOURCE = source("sentry", HEX_SECRET)
ISSUE = {"sentry-hook-resource": "issue"}
EVENT = {"sentry-hook-resource": "event_alert"}
SENT = {"sentry-hook-timestamp": str(NOW // 1000 - 60)}


def read(headers: dict[str, str], payload: Any) -> Feedback:
    found = sentry.normalise(SOURCE, headers, payload, NOW)
    assert isinstance(found, Feedback)
    return found


def settled(headers: dict[str, str], payload: Any) -> Settled:
    found = sentry.normalise(SOURCE, headers, payload, NOW)
    assert isinstance(found, Settled)
    return found


def verify(body: bytes, signature: str, *secrets: str) -> bool:
    return sentry.verify({"sentry-hook-signature": signature}, body, secrets, NOW)


def test_a_documented_issue_is_read() -> None:
    """Every field that Sentry documents and we use arrives as it was meant."""
    found = read(ISSUE, sentry_issue())
    assert found.external_id == "issue:5093217"
    assert found.title == "KeyError: 'expiry'"
    assert found.body == "larder.export in write_csv\n'expiry'\nlarder/export.py"
    assert (found.channel, found.severity, found.occurrences) == ("larder-cli", "error", 7)
    assert found.url == "https://acme.sentry.example/issues/5093217/"
    assert (found.created_at, found.version) == (1735545600250, 1735637400000)
    assert found.details == {"short_id": "LARDER-CLI-4"}
    assert found.open
    assert found.rank == 0


def test_a_documented_event_is_read() -> None:
    """The event has the stack trace of our own frames, innermost last."""
    found = read(EVENT, sentry_event())
    assert found.body.splitlines() == [
        "larder.export in write_csv",
        "KeyError: 'expiry'",
        "  larder.cli:main",
        "  larder.export:write_csv",
    ]
    assert found.occurrence_id == "e4874d664c3540c1a32eab185f12c5ab"
    assert found.version == 1735639200500
    assert found.details["exception"][0]["type"] == "KeyError"


def test_issue_and_event_are_one_item() -> None:
    """Both views of one issue have one id, and the event's is the richer one."""
    issue, event = read(ISSUE, sentry_issue()), read(EVENT, sentry_event())
    assert issue.id == event.id
    assert event.rank > issue.rank
    assert event.channel == issue.channel == "larder-cli"


@pytest.mark.parametrize("url", [None, "", "https://sentry.example/", "/projects/acme/events/"])
def test_an_event_may_not_say_its_project(url: str | None) -> None:
    """Without the address that Sentry documents, all that is known is that it came from Sentry."""
    assert read(EVENT, sentry_event(url=url)).channel == "sentry"


@pytest.mark.parametrize("action", ["created", "assigned", "unresolved", None])
def test_an_issue_that_is_not_settled_is_open(action: str | None) -> None:
    """Whatever else happens to it, an issue is reported in its present state."""
    assert read(ISSUE, {**sentry_issue(), "action": action}).open


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("resolved", "resolved"),
        ("archived", "ignored"),
        ("ignored", "ignored"),
        ("resolved", "unresolved"),
        ("assigned", "resolved"),
        ("assigned", "ignored"),
        (None, "resolved"),
    ],
)
def test_an_issue_that_is_settled_is_only_that(action: str | None, status: str) -> None:
    """A resolved or archived issue ends the item of its reports, and makes none."""
    found = settled({**ISSUE, **SENT}, {**sentry_issue(status=status), "action": action})
    assert found.about == read(ISSUE, sentry_issue()).id
    assert (found.project, found.at, found.received_at) == (SOURCE.project, NOW - 60_000, NOW)


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        (str(NOW // 1000 - 60), NOW - 60_000),
        (str(NOW // 1000 + 60), NOW),
        ("9" * 11, NOW),
        *((text, NOW) for text in ("", "soon", "-5", "1e9", "٣", "9" * 12)),
    ],
)
def test_a_state_is_as_old_as_its_delivery(timestamp: str, at: int) -> None:
    """Resolving changes no time in the payload: when it was sent counts, but not the future."""
    headers = {**ISSUE, "sentry-hook-timestamp": timestamp}
    assert read(headers, sentry_issue()).open_at == at
    assert read(ISSUE, sentry_issue()).open_at == NOW


def test_what_sentry_sent_last_is_true() -> None:
    """Resolving does not change when an issue was last seen, so its state goes by when it was
    sent; by when it came, where that is not said.
    """
    for sent, at in (("1735637500", 1735637500_000), ("soon", NOW), ("٣", NOW), ("9" * 20, NOW)):
        headers = {**ISSUE, "sentry-hook-timestamp": sent}
        assert settled(headers, sentry_issue(status="resolved")).at == at
        assert read(headers, sentry_issue()).open_at == at


@pytest.mark.parametrize("count", ["0", "-3", "", None, "many", "٣x", 0])
def test_a_count_that_is_none_counts_once(count: object) -> None:
    """Whatever Sentry says about the number, there was at least one."""
    assert read(ISSUE, sentry_issue(count=count)).occurrences == 1


def test_a_huge_count_is_no_obstacle() -> None:
    """A count of thousands of digits is read as a large number."""
    assert 10**9 < read(ISSUE, sentry_issue(count="9" * 5_000)).occurrences < 10**15


def test_frames_of_others_stand_in_for_our_own() -> None:
    """Where no frame is marked as ours, all count, the innermost twelve of them."""
    frames = [frame("lib", f"f{n}", in_app=False) for n in range(30)]
    values = [{"type": "E", "value": "v", "stacktrace": {"frames": frames}}]
    body = read(EVENT, sentry_event(exception={"values": values})).body
    assert body.count("lib:") == 12
    assert body.endswith("lib:f29")


def test_an_event_without_exception_says_its_message() -> None:
    """A message event is described by its message."""
    event = sentry_event(exception=None, message="disk is full", culprit="")
    assert read(EVENT, event).body == "disk is full"


@pytest.mark.parametrize(
    "resource", ["installation", "error", "seer", "preprod_artifact", "tomorrow", ""]
)
def test_other_resources_are_none_of_our_business(resource: str) -> None:
    """What is no issue, alert or comment is ignored with a reason, whatever is in it."""
    found = sentry.normalise(SOURCE, {"sentry-hook-resource": resource}, {}, NOW)
    assert isinstance(found, str)
    assert "not feedback" in found


@pytest.mark.parametrize(
    ("headers", "payload", "field"),
    [
        (ISSUE, {}, "data.issue"),
        (ISSUE, {"data": {"issue": []}}, "data.issue"),
        (ISSUE, sentry_issue(id=None), "data.issue.id"),
        (ISSUE, sentry_issue(title=5), "data.issue.title"),
        (ISSUE, sentry_issue(lastSeen="soon"), "data.issue.lastSeen"),
        (EVENT, sentry_event(issue_id=None), "data.event.issue_id"),
        (EVENT, sentry_event(event_id=None), "data.event.event_id"),
        (EVENT, sentry_event(timestamp="now"), "data.event.timestamp"),
        (ISSUE, sentry_issue(id=None, status="resolved"), "data.issue.id"),
    ],
)
def test_the_field_at_fault_is_named(headers: dict[str, str], payload: Any, field: str) -> None:
    """What the documentation promises and the payload lacks is named in Sentry's words."""
    with pytest.raises(Unreadable) as caught:
        sentry.normalise(SOURCE, headers, payload, NOW)
    assert caught.value.field == field


def test_every_secret_is_accepted_and_no_other() -> None:
    """Old and new secret pass while both are known, a retired one does not."""
    body = json.dumps(sentry_issue()).encode()
    assert verify(body, hex_hmac(body, "old"), "old", "new")
    assert verify(body, hex_hmac(body, "new"), "old", "new")
    assert not verify(body, hex_hmac(body, "old"), "new")
    assert not verify(body, hex_hmac(body, ""))


def test_s02_a_flipped_byte_is_refused() -> None:
    """No byte of the body or of the signature can be changed."""
    body = json.dumps(sentry_issue()).encode()
    signature = hex_hmac(body)
    assert verify(body, signature, HEX_SECRET)
    assert not any(verify(other, signature, HEX_SECRET) for other in flips(body))
    for other in flips(signature.encode()):
        assert not verify(body, other.decode("latin-1"), HEX_SECRET)


@given(header_values, st.binary(max_size=30))
def test_no_header_makes_verification_fail_otherwise(signature: str, body: bytes) -> None:
    """Any header is right or wrong, never an error."""
    assert verify(body, signature, HEX_SECRET) is False


@given(st.sampled_from([(ISSUE, sentry_issue()), (EVENT, sentry_event())]), st.data(), json_values)
def test_any_payload_is_read_or_unreadable(
    given_payload: tuple[dict[str, str], Any], data: st.DataObject, value: Any
) -> None:
    """With any value in any place, the item can be stored, or the place is named."""
    headers, payload = given_payload
    path = data.draw(st.sampled_from(list(places(payload))))
    with suppress(Unreadable):
        found = read(headers, replaced(payload, path, value))
        assert found.document
        assert found.text
