import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules import delivery
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.pull_news import CheckNews, PullNews
from soulcaster.rules.sources import github
from tests.rules.pulls import HEAD, pull_event, suite_event
from tests.rules.samples import NOW, PROJECT, source
from tests.rules.signed import json_values, places, replaced

SOURCE = source("github", "a webhook secret")
PULL, SUITE = {"x-github-event": "pull_request"}, {"x-github-event": "check_suite"}
NINE, TWENTY_PAST = 1735635600000, 1735633200000


def pull(payload: Any) -> PullNews:
    found = github.normalise(SOURCE, PULL, payload, NOW)
    assert isinstance(found, PullNews)
    return found


def suite(payload: Any) -> CheckNews:
    found = github.normalise(SOURCE, SUITE, payload, NOW)
    assert isinstance(found, CheckNews)
    return found


def test_a_merge_is_news() -> None:
    """Everything that GitHub documents and we use arrives as it was meant."""
    assert pull(pull_event()) == PullNews(
        project=PROJECT,
        repository="acme/larder",
        number=7,
        what="merged",
        state="merged",
        draft=False,
        head=HEAD,
        at=NINE,
        received_at=NOW,
    )


@pytest.mark.parametrize(
    ("action", "fields", "what", "state"),
    [
        ("closed", {"merged": False}, "closed", "closed"),
        ("reopened", {"state": "open", "merged": False}, "reopened", "open"),
        ("ready_for_review", {"state": "open"}, "marked as ready for review", "open"),
        ("converted_to_draft", {"state": "open", "draft": True}, "made a draft again", "open"),
        ("synchronize", {"state": "open"}, "given other commits", "open"),
    ],
)
def test_what_becomes_of_a_pull_request(
    action: str, fields: dict[str, Any], what: str, state: str
) -> None:
    """Each event that is followed says what happened and how the pull request is now."""
    found = pull(pull_event(action, **fields))
    assert (found.what, found.state, found.draft) == (what, state, action == "converted_to_draft")


def test_letter_case_tells_no_repositories_apart() -> None:
    """Nor does it on GitHub."""
    event = pull_event()
    event["repository"] = {**event["repository"], "full_name": "Acme/LARDER"}
    assert pull(event).repository == "acme/larder"


@pytest.mark.parametrize(
    ("conclusion", "checks"),
    [
        *(("success", "passing"), ("neutral", "passing"), ("skipped", "passing")),
        *(("failure", "failing"), ("timed_out", "failing"), ("cancelled", "failing")),
        *(("startup_failure", "failing"), ("stale", "failing"), ("action_required", "pending")),
    ],
)
def test_how_checks_end_is_news(conclusion: str, checks: str) -> None:
    """Every conclusion that GitHub documents passes, fails or waits for a person."""
    found = suite(suite_event(conclusion=conclusion))
    assert found.checks == checks
    assert (found.suite, found.head, found.numbers) == (118_578_147, HEAD, (7,))
    assert (found.at, found.received_at) == (TWENTY_PAST, NOW)


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        (PULL, pull_event("opened")),
        (PULL, pull_event("labeled")),
        (SUITE, suite_event("requested", conclusion=None)),
        (SUITE, suite_event(pull_requests=[])),
    ],
)
def test_other_events_are_none_of_our_business(headers: dict[str, str], payload: Any) -> None:
    """What changes nothing that we show is ignored with a reason."""
    assert isinstance(github.normalise(SOURCE, headers, payload, NOW), str)


@pytest.mark.parametrize(
    ("headers", "payload", "field"),
    [
        (PULL, {}, "action"),
        (PULL, {"action": "closed"}, "pull_request"),
        (PULL, {**pull_event(), "repository": None}, "repository.full_name"),
        (PULL, pull_event(number="7"), "number"),
        (PULL, pull_event(number=0), "number"),
        (PULL, pull_event(head={"sha": "main"}), "head.sha"),
        (PULL, pull_event(updated_at=None), "updated_at"),
        (SUITE, suite_event(conclusion=None), "conclusion"),
        (SUITE, suite_event(conclusion="fine"), "check_suite.conclusion"),
        (SUITE, suite_event(head_sha=5), "head_sha"),
        (SUITE, suite_event(id=2**60), "id"),
        (SUITE, suite_event(pull_requests=[5]), "number"),
    ],
)
def test_the_field_at_fault_is_named(headers: dict[str, str], payload: Any, field: str) -> None:
    """What the documentation promises and the payload lacks is named."""
    with pytest.raises(Unreadable) as caught:
        github.normalise(SOURCE, headers, payload, NOW)
    assert caught.value.field == field


@given(st.data(), st.booleans(), json_values)
def test_any_payload_is_news_or_unreadable(data: st.DataObject, of_pull: bool, value: Any) -> None:
    """With any value in any place, it can be applied, is ignored, or the place is named."""
    headers, payload = (PULL, pull_event()) if of_pull else (SUITE, suite_event())
    path = data.draw(st.sampled_from(list(places(payload))))
    with suppress(Unreadable):
        found = github.normalise(SOURCE, headers, replaced(payload, path, value), NOW)
        assert isinstance(found, (str, PullNews, CheckNews))
        assert isinstance(found, str) or found.version > 0


def test_news_comes_through_the_queue() -> None:
    """It is read from a delivery as feedback is."""
    arrived = Delivery(
        project=PROJECT,
        source_id=SOURCE.id,
        source=SOURCE,
        headers=PULL,
        body=json.dumps(pull_event()).encode(),
        received_at=NOW,
    )
    sent = Delivery.from_message(arrived.message())
    assert sent.source is not None
    assert delivery.read(sent, sent.source) == (pull(pull_event()),)
