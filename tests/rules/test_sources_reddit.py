from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.sources import reddit
from tests.rules.samples import NOW, source, submission
from tests.rules.signed import hex_hmac, json_values, places, replaced

SOURCE = source("reddit", subreddits=["larder"])


def read(payload: Any) -> Feedback:
    found = reddit.normalise(SOURCE, {}, payload, NOW)
    assert isinstance(found, Feedback)
    return found


def test_a_submission_is_read() -> None:
    """Every field that we use arrives as it was meant."""
    found = read(submission())
    assert found.external_id == "t3_1hq0abc"
    assert (found.title, found.body) == ("Larder loses my last row", "Anybody else?")
    assert (found.channel, found.author) == ("r/larder", "pantry_person")
    assert found.url is not None
    assert found.url.startswith("https://www.reddit.com/r/larder/")
    assert found.created_at == found.version == 1735600000000


def test_an_edit_is_a_later_version() -> None:
    """An edited submission is the same item, and outranks what it was."""
    edited = read(submission(edited=1735603600.0, selftext="Solved"))
    assert edited.id == read(submission()).id
    assert edited.version > read(submission()).version


def test_a_deleted_author_is_nobody() -> None:
    """Reddit names no author when the account is gone."""
    assert read(submission(author=None, selftext=None)).author is None


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "title"),
        (submission(title=" ", selftext=""), "title"),
        (submission(id=None), "id"),
        (submission(created_utc="yesterday"), "created_utc"),
        (submission(subreddit=None), "subreddit"),
    ],
)
def test_the_field_at_fault_is_named(payload: Any, field: str) -> None:
    """A submission without what makes it one names what is missing."""
    with pytest.raises(Unreadable) as caught:
        read(payload)
    assert caught.value.field == field


@given(st.dictionaries(st.text(), st.text()), st.binary(max_size=30))
def test_nobody_can_post_as_reddit(headers: dict[str, str], body: bytes) -> None:
    """Reddit sends no webhooks, so no signature is right."""
    signed = {"x-hub-signature-256": "sha256=" + hex_hmac(body, "s")}
    assert not reddit.verify({**headers, **signed}, body, ("s", ""), NOW)


@given(st.data(), json_values)
def test_any_payload_is_feedback_or_unreadable(data: st.DataObject, value: Any) -> None:
    """With any value in any place, the item can be stored, or the place is named."""
    path = data.draw(st.sampled_from(list(places(submission()))))
    with suppress(Unreadable):
        found = read(replaced(submission(), path, value))
        assert found.document
        assert found.text
