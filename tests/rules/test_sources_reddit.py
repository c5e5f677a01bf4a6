from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.readings import Evidence, Withdrawn
from soulcaster.rules.sources import reddit
from tests.rules.samples import NOW, source, submission
from tests.rules.signed import hex_hmac, json_values, places, replaced

SOURCE = source("reddit", subreddits=["larder"])


COMMENT = {"x-reddit-type": "comment"}


def commented(**comment: Any) -> dict[str, Any]:
    """A comment as the poller puts it on the queue: with its submission."""
    fields = {
        "id": "m4kx2zz",
        "fullname": "t1_m4kx2zz",
        "link_id": "t3_1hq0abc",
        "parent_id": "t3_1hq0abc",
        "body": "Yes, since the update.",
        "author": "jar_keeper",
        "permalink": "https://www.reddit.com/r/larder/comments/1hq0abc/larder_loses/m4kx2zz/",
        "created_utc": 1735603600.0,
        "edited": False,
        "score": 3,
        "is_submitter": False,
        "distinguished": None,
        "subreddit": "larder",
        "submission": submission(),
    }
    return {**fields, **comment}


def said(payload: Any) -> Evidence:
    item, comment = read_comment(payload)
    assert item == read(submission())
    assert comment.about == item.id
    assert isinstance(comment, Evidence)
    return comment


def read_comment(payload: Any) -> Any:
    return reddit.normalise(SOURCE, COMMENT, payload, NOW)


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


def test_a_deleted_submission_is_withdrawn() -> None:
    """Where Reddit still shows it, without author and text; also when a comment brings it."""
    gone = submission(author="[deleted]", selftext="[deleted]")
    about = read(submission()).id
    expected = Withdrawn(project="larder", about=about, received_at=NOW)
    assert reddit.normalise(SOURCE, {}, gone, NOW) == expected
    assert read_comment(commented(submission=gone)) == expected


def test_a_removed_submission_changes_nothing() -> None:
    """A moderator may let it through again."""
    removed = submission(author=None, selftext="[removed]")
    assert isinstance(reddit.normalise(SOURCE, {}, removed, NOW), str)
    assert isinstance(read_comment(commented(submission=removed)), str)


def test_a_comment_is_evidence_on_its_submission() -> None:
    """It comes with the submission, and every field that we use is as it was meant."""
    assert said(commented()) == Evidence(
        project="larder",
        about=read(submission()).id,
        id="t1_m4kx2zz",
        author="jar_keeper",
        body="Yes, since the update.",
        url="https://www.reddit.com/r/larder/comments/1hq0abc/larder_loses/m4kx2zz/",
        at=1735603600000,
        version=1735603600000,
        received_at=NOW,
    )
    edited = said(commented(edited=1735603700.0, body="Solved"))
    assert edited.version == 1735603700000


@pytest.mark.parametrize("text", ["[deleted]", "[removed]"])
def test_a_comment_that_is_gone_outranks_what_it_was(text: str) -> None:
    """Nothing but its text tells that it was deleted or removed."""
    gone = said(commented(author="[deleted]", body=text))
    assert (gone.gone, gone.body, gone.author, gone.reports) == (True, "", None, False)
    assert gone.version > said(commented()).version


@pytest.mark.parametrize(
    ("comment", "reports"),
    [
        ({}, True),
        ({"is_submitter": True}, False),
        ({"author": "pantry_person", "is_submitter": None}, False),
        ({"author": None}, False),
        ({"distinguished": "moderator"}, False),
        ({"distinguished": "admin"}, False),
    ],
)
def test_who_reports_the_problem_too(comment: dict[str, Any], reports: bool) -> None:
    """Neither the submission's author again, nor who moderates, nor nobody."""
    assert said(commented(**comment)).reports is reports


def test_what_automoderator_says_is_none_of_our_business() -> None:
    """It says the same below everything."""
    assert isinstance(read_comment(commented(author="AutoModerator")), str)


def test_what_is_not_set_has_its_default() -> None:
    """New submissions, whatever is in them, and the comments on them."""
    assert reddit.configure({"subreddits": ["larder"]}) == {
        "subreddits": ["larder"],
        "sorts": ["new"],
        "keywords": [],
        "comments": True,
    }


def test_a_configuration_is_kept_in_order() -> None:
    """Sorts once each, in the order in which they are read; keywords without spaces around them."""
    wanted = {"sorts": ["top", "new", "top"], "keywords": [" export "], "comments": False}
    kept = reddit.configure({"subreddits": ["larder"], **wanted})
    assert (kept["sorts"], kept["keywords"], kept["comments"]) == (
        ["new", "top"],
        ["export"],
        False,
    )


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"subreddits": []}, "config.subreddits"),
        ({"subreddits": ["r/larder"]}, "config.subreddits"),
        ({"sorts": []}, "config.sorts"),
        ({"sorts": ["best"]}, "config.sorts"),
        ({"sorts": [["new"]]}, "config.sorts"),
        ({"keywords": [""]}, "config.keywords"),
        ({"keywords": ["x" * 101]}, "config.keywords"),
        ({"keywords": ["x"] * 51}, "config.keywords"),
        ({"keywords": "export"}, "keywords"),
        ({"comments": "yes"}, "config.comments"),
        ({"poll": True}, "config.poll"),
    ],
)
def test_a_wrong_configuration_is_named(config: dict[str, Any], field: str) -> None:
    """What can't be read from is refused when the source is made."""
    with pytest.raises(Unreadable) as caught:
        reddit.configure({"subreddits": ["larder"], **config})
    assert caught.value.field == field


def test_a_keyword_is_in_title_or_text() -> None:
    """Letter case is ignored; without keywords everything is wanted."""
    one = {"title": "Larder LOSES my row", "selftext": None}
    assert reddit.has_keyword({}, one)
    assert reddit.has_keyword({"keywords": ["crash", "loses my"]}, one)
    assert not reddit.has_keyword({"keywords": ["crash"]}, one)
    assert reddit.has_keyword({"keywords": ["crash"]}, {**one, "selftext": "It Crashes"})


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


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "submission"),
        (commented(submission={}), "title"),
        (commented(id=5), "id"),
        (commented(body=None), "body"),
        (commented(created_utc=None), "created_utc"),
        (commented(edited="x"), "edited"),
    ],
)
def test_the_field_of_a_comment_at_fault_is_named(payload: Any, field: str) -> None:
    """A comment without what makes it one names what is missing."""
    with pytest.raises(Unreadable) as caught:
        read_comment(payload)
    assert caught.value.field == field


@given(st.data(), json_values)
def test_any_comment_is_evidence_or_unreadable(data: st.DataObject, value: Any) -> None:
    """With any value in any place, it is read, is ignored, or the place is named."""
    path = data.draw(st.sampled_from(list(places(commented()))))
    with suppress(Unreadable):
        assert read_comment(replaced(commented(), path, value))


@given(st.data(), json_values)
def test_any_payload_is_feedback_or_unreadable(data: st.DataObject, value: Any) -> None:
    """With any value in any place, the item can be stored, or the place is named."""
    path = data.draw(st.sampled_from(list(places(submission()))))
    with suppress(Unreadable):
        found = read(replaced(submission(), path, value))
        assert found.document
        assert found.text
