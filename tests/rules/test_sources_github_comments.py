"""Comments on issues, and what ends an issue's id: its deletion and its transfer."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.readings import Evidence, Moved, Withdrawn
from soulcaster.rules.sources import github
from tests.rules.samples import NOW, PROJECT, github_issue, source
from tests.rules.signed import json_values, places, replaced

SOURCE = source("github", "a webhook secret")
ISSUES, COMMENTS = {"x-github-event": "issues"}, {"x-github-event": "issue_comment"}
GRACE = {"login": "grace", "id": 23, "type": "User"}
NINE = 1735635600000
NEW_ID, NEW_REPOSITORY = 2_200_399_001, {"id": 78, "full_name": "acme/larder-mobile"}


def commented(action: str = "created", **comment: Any) -> dict[str, Any]:
    """GitHub's ``issue_comment`` webhook, about a comment of nine o'clock."""
    fields = {
        "html_url": "https://github.com/acme/larder/issues/12#issuecomment-2570001",
        "issue_url": "https://api.github.com/repos/acme/larder/issues/12",
        "id": 2_570_001,
        "user": GRACE,
        "created_at": "2024-12-31T09:00:00Z",
        "updated_at": "2024-12-31T09:00:00Z",
        "author_association": "NONE",
        "body": "Same here.",
    }
    return {**github_issue(action), "comment": {**fields, **comment}}


def transferred(**new: Any) -> dict[str, Any]:
    """What the repository that an issue left sends."""
    payload = github_issue("transferred")
    moved = {**payload["issue"], "id": NEW_ID, "number": 3, "updated_at": "2024-12-31T09:00:00Z"}
    changes = {"new_issue": {**moved, **new}, "new_repository": NEW_REPOSITORY}
    return {**payload, "changes": changes}


def received(**issue: Any) -> dict[str, Any]:
    """What the repository that it went to sends."""
    changes = transferred(**issue)["changes"]
    old = {"old_issue": github_issue()["issue"], "old_repository": github_issue()["repository"]}
    payload = {**github_issue(), "issue": changes["new_issue"], "repository": NEW_REPOSITORY}
    return {**payload, "changes": old}


def read(headers: dict[str, str], payload: Any) -> Any:
    return github.normalise(SOURCE, headers, payload, NOW)


def said(payload: Any) -> Evidence:
    item, comment = read(COMMENTS, payload)
    assert item == read(ISSUES, github_issue())
    assert comment.about == item.id
    assert isinstance(comment, Evidence)
    return comment


def test_a_comment_is_evidence_on_its_issue() -> None:
    """It comes with the issue as it is now, and every field that we use is as it was meant."""
    assert said(commented()) == Evidence(
        project=PROJECT,
        about=read(ISSUES, github_issue()).id,
        id="comment:2570001",
        author="grace",
        body="Same here.",
        url="https://github.com/acme/larder/issues/12#issuecomment-2570001",
        at=NINE,
        version=NINE,
        received_at=NOW,
    )


def test_the_states_of_a_comment_have_an_order() -> None:
    """Written, edited and deleted in one second: the last of them is the highest version."""
    states = [said(commented(action)) for action in ("created", "edited", "deleted")]
    assert len({state.id for state in states}) == 1
    assert sorted(states, key=lambda state: state.version) == states
    assert len({state.version for state in states}) == 3
    later = said(commented("edited", updated_at="2024-12-31T09:00:01Z"))
    assert later.version > states[-1].version


def test_nothing_is_kept_of_a_deleted_comment() -> None:
    """Its text does not come along."""
    gone = said(commented("deleted"))
    assert (gone.gone, gone.body) == (True, "")


@pytest.mark.parametrize(
    ("comment", "reports"),
    [
        ({}, True),
        ({"author_association": "CONTRIBUTOR"}, True),
        ({"author_association": "FIRST_TIME_CONTRIBUTOR"}, True),
        ({"author_association": "OWNER"}, False),
        ({"author_association": "MEMBER"}, False),
        ({"author_association": "COLLABORATOR"}, False),
        ({"user": {"login": "ada", "type": "User"}}, False),
        ({"user": None}, False),
    ],
)
def test_who_reports_the_problem_too(comment: dict[str, Any], reports: bool) -> None:
    """Neither who answers for the repository, nor the issue's author again, nor nobody."""
    assert said(commented(**comment)).reports is reports


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        (COMMENTS, commented(user={"login": "soulcaster[bot]", "type": "Bot"})),
        (COMMENTS, commented("pinned")),
        (COMMENTS, {**commented(), "issue": github_issue(pull_request={"url": "x"})["issue"]}),
        (ISSUES, github_issue("deleted", pull_request={"url": "x"})),
        (ISSUES, github_issue("unlabeled")),
    ],
)
def test_what_is_none_of_our_business(headers: dict[str, str], payload: Any) -> None:
    """What bots say, what is said about pull requests, and labels are ignored with a reason."""
    assert isinstance(read(headers, payload), str)


def test_a_deleted_issue_is_withdrawn() -> None:
    """All that is said is which item it was."""
    about = read(ISSUES, github_issue()).id
    expected = Withdrawn(project=PROJECT, about=about, received_at=NOW)
    assert read(ISSUES, github_issue("deleted")) == expected


@pytest.mark.parametrize("payload", [transferred(), received()], ids=["left", "arrived"])
def test_a_transferred_issue_stays_the_same_item(payload: Any) -> None:
    """Both repositories say the same: the new id is the old item's, which is elsewhere now."""
    before = read(ISSUES, github_issue())
    after = read(ISSUES, {**received(), "changes": {}})
    moved, item = read(ISSUES, payload)
    assert moved == Moved(project=PROJECT, about=before.id, to=after.id, received_at=NOW)
    assert isinstance(item, Feedback)
    assert (item.id, item.external_id) == (before.id, before.external_id)
    assert (item.channel, item.details["number"]) == ("acme/larder-mobile", 3)
    assert (item.title, item.body, item.version) == (before.title, before.body, NINE)


def test_a_transfer_loses_nothing_and_goes_forward() -> None:
    """The new issue may have no text yet, and an older time than the old one."""
    before = read(ISSUES, github_issue())
    _, item = read(ISSUES, received(body=None, updated_at="2024-12-30T00:00:00Z"))
    assert (item.body, item.version) == (before.body, before.version)


def test_an_issue_that_kept_its_id_has_not_moved() -> None:
    """There is no other name for it then."""
    payload = transferred(id=github_issue()["issue"]["id"])
    (item,) = read(ISSUES, payload)
    assert item.id == read(ISSUES, github_issue()).id


def test_an_issue_from_where_we_may_not_look_is_new() -> None:
    """GitHub leaves the old issue out then."""
    payload = {**received(), "changes": {"old_issue": None, "old_repository": None}}
    assert read(ISSUES, payload).external_id == f"issue:{NEW_ID}"


@pytest.mark.parametrize(
    ("headers", "payload", "field"),
    [
        (COMMENTS, {}, "action"),
        (COMMENTS, {"action": "created"}, "issue"),
        (COMMENTS, github_issue("created"), "comment"),
        (COMMENTS, commented(id="1"), "id"),
        (COMMENTS, commented(body=None), "body"),
        (COMMENTS, commented(updated_at="x"), "comment.updated_at"),
        (COMMENTS, commented(created_at=None), "created_at"),
        (ISSUES, github_issue("deleted", id=None), "id"),
        (ISSUES, github_issue("transferred"), "changes.new_issue"),
        (
            ISSUES,
            {**transferred(), "changes": {"new_issue": {}}},
            "changes.new_repository.full_name",
        ),
        (ISSUES, transferred(title=5), "title"),
    ],
)
def test_the_field_at_fault_is_named(headers: dict[str, str], payload: Any, field: str) -> None:
    """What the documentation promises and the payload lacks is named."""
    with pytest.raises(Unreadable) as caught:
        read(headers, payload)
    assert caught.value.field == field


EVENTS = [
    *((COMMENTS, commented(action)) for action in ("created", "edited", "deleted")),
    *((ISSUES, payload) for payload in (github_issue("deleted"), transferred(), received())),
]


@given(st.data(), st.sampled_from(EVENTS), json_values)
def test_any_payload_is_read_or_unreadable(
    data: st.DataObject, event: tuple[dict[str, str], Any], value: Any
) -> None:
    """With any value in any place, it is read, is ignored, or the place is named."""
    headers, payload = event
    path = data.draw(st.sampled_from(list(places(payload))))
    with suppress(Unreadable):
        assert read(headers, replaced(payload, path, value))
