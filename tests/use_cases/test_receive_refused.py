"""What the receiver refuses although it was signed, and what it lets people know."""

from dataclasses import replace

import pytest

from soulcaster.rules.day import day_of
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.quota import Standing
from soulcaster.rules.source import Retiring
from tests.rules.samples import NOW
from tests.rules.signed import HEX_SECRET
from tests.use_cases.receiving import SIGNED, SOURCES, Outside, signed, whole

ROOM = Standing(day_of(NOW), 0, 0, 10, 10)
FULL = Standing(day_of(NOW), 10, 0, 10, 10)
FORM = "application/x-www-form-urlencoded"
PING = b'{"zen": "Keep it simple."}'


def pinged() -> dict[str, str]:
    """The headers of GitHub's ping."""
    return {**signed("github", PING), "x-github-event": "ping"}


@pytest.mark.parametrize("name", ["content-type", "Content-Type"])
@pytest.mark.parametrize("given", [FORM, "text/plain", "application/jsonp", "json", "+json2"])
def test_what_is_sent_as_something_else_is_refused(name: str, given: str) -> None:
    """400 that says what to do at the sender; nothing is queued."""
    outside, body = Outside(), whole("github")
    answer = outside.receive("github", {**signed("github", body), name: given}, body)
    assert answer.status == 400
    assert answer.body["field"] == "content-type"
    assert "set it to application/json" in answer.body["error"]
    assert outside.queued == []


@pytest.mark.parametrize(
    "given",
    [
        *("application/json", "Application/JSON; charset=utf-8", "application/json ;charset=x"),
        *("application/vnd.github+json", "application/cloudevents+json; charset=UTF-8", "", " "),
    ],
)
def test_json_is_json_by_any_name(given: str) -> None:
    """Whatever the charset and the letter case; and what has no type is taken for it."""
    outside, body = Outside(), whole("github")
    headers = {**signed("github", body), "content-type": given}
    assert outside.receive("github", headers, body).status == 202


def test_the_signature_is_looked_at_before_the_content_type() -> None:
    """Who can't sign does not learn what else is wrong, and what is wrong says so before a ping."""
    outside, body = Outside(), whole("github")
    assert outside.receive("github", {"content-type": FORM}, body).status == 401
    assert outside.receive("github", {**pinged(), "content-type": FORM}, PING).status == 400


def test_with_the_store_down_a_wrong_content_type_is_refused() -> None:
    """What is not verified could be anything, but not something that could never be read."""
    outside, body = Outside(store_up=False), whole("github")
    headers = {**signed("github", body), "content-type": FORM}
    assert outside.receive("github", headers, body).status == 400
    assert outside.queued == []


def test_what_comes_too_fast_has_to_wait() -> None:
    """429 with the seconds to the next minute; what is none of our business does not count."""
    one = replace(SOURCES["src_larder_github"], per_minute=2)
    outside, body = Outside({one.id: one}), whole("github")
    for status in (202, 202, 429, 429):
        assert outside.receive("github", pinged(), PING).status == 200
        answer = outside.receive("github", signed("github", body), body)
        assert answer.status == status
    assert answer.headers == {"retry-after": "60"}
    assert outside.refused == ["rate", "rate"]
    assert len(outside.queued) == 2


def test_a_quota_is_looked_at_again_before_a_no() -> None:
    """Only when it is used up by what is known now too is it a 429, and counted."""
    for as_it_is, status in ((ROOM, 202), (FULL, 429), (None, 202)):
        outside, body = Outside(remembered=FULL, as_it_is=as_it_is), whole("sentry")
        answer = outside.receive("sentry", signed("sentry", body), body)
        assert answer.status == status
        assert outside.refused == ["quota"]
        assert len(outside.queued) == (status == 202)
    outside = Outside(remembered=ROOM)
    assert outside.receive("sentry", signed("sentry", body), body).status == 202
    assert outside.refused == []
    assert outside.took_items == [1]


def test_a_used_up_day_is_waited_for() -> None:
    """The sender is told which quota it is, and when there is a new day."""
    outside, body = Outside(remembered=FULL, as_it_is=FULL), whole("sentry")
    answer = outside.receive("sentry", signed("sentry", body), body)
    assert answer.headers == {"retry-after": "86400"}
    assert "10 new items a day" in answer.body["error"]


def test_what_is_about_items_that_are_there_needs_no_room() -> None:
    """News of a pull request goes in whatever the quotas."""
    body = (
        b'{"action": "closed", "repository": {"full_name": "acme/larder"}, "pull_request": '
        b'{"number": 1, "state": "closed", "merged": true, "draft": false, "head": {"sha": "'
        + b"a" * 40
        + b'"}, "updated_at": "2025-01-01T00:00:00Z", "labels": []}}'
    )
    headers = {**signed("github", body), "x-github-event": "pull_request"}
    outside = Outside(remembered=FULL, as_it_is=FULL)
    assert outside.receive("github", headers, body).status == 202
    assert (outside.refused, outside.took_items) == ([], [0])


def test_what_the_queue_did_not_take_is_not_counted() -> None:
    """Or the sender would have to wait for having been asked to come again."""
    outside, body = Outside(queue_up=False), whole("sentry")
    assert outside.receive("sentry", signed("sentry", body), body).status == 503
    assert outside.took_items == []


@pytest.mark.parametrize("kind", SIGNED)
def test_people_learn_what_is_wrong_with_their_source(kind: str) -> None:
    """Which field it is, in words of ours and none of the payload's."""
    outside, identifier = Outside(), f"src_larder_{kind}"
    body = b'{"secret-word": "secret-word", "type": "feedback.x"}'
    assert outside.receive(kind, {}, body).status == 401
    assert outside.receive(kind, signed(kind, body), body).status == 400
    (signature, payload) = outside.notes
    assert signature == (identifier, "signature", "the signature is missing or wrong")
    assert payload[:2] == (identifier, "payload")
    assert "is missing" in payload[2]
    assert "secret-word" not in payload[2]


def test_a_ping_is_noted_and_what_nobody_set_up_is_not() -> None:
    """A ping shows that the source is wired up; Reddit has no webhook that could be wrong."""
    outside = Outside()
    assert outside.receive("github", pinged(), PING).status == 200
    assert outside.notes == [("src_larder_github", "delivery", "")]
    for kind in ("reddit", "nobody"):
        assert outside.receive(kind, {}, PING).status == 401
    assert len(outside.notes) == 1


def test_what_is_accepted_is_noted_by_who_stores_it() -> None:
    """A warm accept asks nobody but the queue."""
    outside, body = Outside(), whole("github")
    assert outside.receive("github", signed("github", body), body).status == 202
    assert outside.notes == []


def test_a_source_that_is_off_ignores_what_is_signed() -> None:
    """200 with the reason; what is not signed stays a 401."""
    one = replace(SOURCES["src_larder_github"], enabled=False)
    outside, body = Outside({one.id: one}), whole("github")
    answer = outside.receive("github", signed("github", body), body)
    assert (answer.status, answer.body["reason"]) == (200, "the source is switched off")
    assert outside.receive("github", {}, body).status == 401
    assert outside.queued == []


def test_s08_a_retiring_secret_passes_until_its_time() -> None:
    """Up to the millisecond, and what is queued does not say by which it was signed."""
    for until, status in ((NOW + 1, 202), (NOW, 401)):
        one = replace(
            SOURCES["src_larder_sentry"], secrets=("new",), retiring=(Retiring(HEX_SECRET, until),)
        )
        outside, body = Outside({one.id: one}), whole("sentry")
        assert outside.receive("sentry", signed("sentry", body), body).status == status
        assert [Delivery.from_message(text).body for text in outside.queued] == (
            [body] if status == 202 else []
        )
