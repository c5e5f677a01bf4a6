import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.sources import github
from tests.rules.samples import NOW, github_issue, source
from tests.rules.signed import flips, header_values, hex_hmac, json_values, places, replaced

SECRET = "a webhook secret"
SOURCE = source("github", SECRET)
ISSUES = {"x-github-event": "issues"}


def read(payload: Any) -> Feedback:
    found = github.normalise(SOURCE, ISSUES, payload, NOW)
    assert isinstance(found, Feedback)
    return found


def verify(body: bytes, signature: str, *secrets: str) -> bool:
    return github.verify({"x-hub-signature-256": signature}, body, secrets, NOW)


def test_a_documented_issue_is_read() -> None:
    """Every field that GitHub documents and we use arrives as it was meant."""
    found = read(github_issue())
    assert found.external_id == "issue:2200300400"
    assert found.title == "Export loses the last row"
    assert found.body.startswith("### Steps")
    assert (found.channel, found.author) == ("acme/larder", "ada")
    assert found.url == "https://github.com/acme/larder/issues/12"
    assert (found.created_at, found.version) == (1735632000000, 1735632300000)
    assert found.details == {"number": 12, "labels": ["bug"]}
    assert found.open


@pytest.mark.parametrize("action", ["opened", "edited", "closed", "reopened"])
def test_what_changes_an_issue_is_followed(action: str) -> None:
    """Each such action is the same item in its present state."""
    state = "closed" if action == "closed" else "open"
    found = read(github_issue(action, state=state))
    assert found.id == read(github_issue()).id
    assert found.open is (action != "closed")


def test_an_issue_without_words_or_author_is_read() -> None:
    """A null body is empty, and a deleted account ("ghost") is nobody."""
    found = read(github_issue(body=None, user=None))
    assert (found.body, found.author) == ("", None)


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        ({"x-github-event": "ping"}, {"zen": "Design for failure.", "hook_id": 1}),
        ({"x-github-event": "check_run"}, {"action": "completed"}),
        ({}, {}),
        (ISSUES, github_issue("labeled")),
        (ISSUES, github_issue(pull_request={"url": "https://api.github.com/x"})),
    ],
)
def test_other_events_are_none_of_our_business(headers: dict[str, str], payload: Any) -> None:
    """Pings, labels and pull requests are ignored with a reason."""
    assert isinstance(github.normalise(SOURCE, headers, payload, NOW), str)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "action"),
        ({"action": "opened"}, "issue"),
        ({**github_issue(), "repository": None}, "repository.full_name"),
        (github_issue(title=None), "title"),
        (github_issue(title=" "), None),
        (github_issue(id="1"), "id"),
        (github_issue(created_at="x"), "issue.created_at"),
        (github_issue(labels=5), "labels"),
    ],
)
def test_the_field_at_fault_is_named(payload: Any, field: str | None) -> None:
    """What the documentation promises and the payload lacks is named; a body stands in for a
    title.
    """
    if field is None:
        assert read(payload).title == "Steps"
        return
    with pytest.raises(Unreadable) as caught:
        read(payload)
    assert caught.value.field == field


def test_every_secret_is_accepted_and_no_other() -> None:
    """Old and new secret pass while both are known, a retired one does not."""
    body = json.dumps(github_issue()).encode()
    old = "sha256=" + hex_hmac(body, "old")
    assert verify(body, old, "old", "new")
    assert not verify(body, old, "new")
    assert not verify(body, hex_hmac(body, "new"), "new")


def test_the_documented_example_verifies() -> None:
    """GitHub's own test values, from "Validating webhook deliveries"."""
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert verify(b"Hello, World!", expected, "It's a Secret to Everybody")


def test_s02_a_flipped_byte_is_refused() -> None:
    """No byte of the body or of the signature can be changed."""
    body = json.dumps(github_issue()).encode()
    signature = "sha256=" + hex_hmac(body, SECRET)
    assert verify(body, signature, SECRET)
    assert not any(verify(other, signature, SECRET) for other in flips(body))
    for other in flips(signature.encode()):
        assert not verify(body, other.decode("latin-1"), SECRET)


@given(header_values, st.binary(max_size=30))
def test_no_header_makes_verification_fail_otherwise(signature: str, body: bytes) -> None:
    """Any header is right or wrong, never an error."""
    assert verify(body, signature, SECRET) is False


@given(st.data(), json_values)
def test_any_payload_is_feedback_or_unreadable(data: st.DataObject, value: Any) -> None:
    """With any value in any place, the item can be stored, is ignored, or the place is named."""
    payload = github_issue()
    path = data.draw(st.sampled_from(list(places(payload))))
    with suppress(Unreadable):
        found = github.normalise(SOURCE, ISSUES, replaced(payload, path, value), NOW)
        if not isinstance(found, str):
            assert isinstance(found, Feedback)
            assert found.document
            assert found.text
