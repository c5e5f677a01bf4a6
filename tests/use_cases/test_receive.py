import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.delivery import MAX_BODY_BYTES, Delivery
from soulcaster.rules.kinds import KEPT_HEADERS
from soulcaster.use_cases.receive import to_json
from tests.rules.samples import NOW, github_issue
from tests.rules.signed import (
    HEX_SECRET,
    STANDARD_SECRET,
    flips,
    header_values,
    json_values,
)
from tests.use_cases.receiving import PAYLOADS, SIGNED, SOURCES, Outside, signed, whole


@given(
    st.sampled_from([*SIGNED, "reddit", "nobody"]),
    st.dictionaries(st.sampled_from(sorted(KEPT_HEADERS)) | st.text(), header_values),
    st.binary() | json_values.map(lambda value: json.dumps(value).encode()),
)
def test_s01_any_request_has_a_clear_answer(
    kind: str, headers: dict[str, str], body: bytes
) -> None:
    """Random headers and bodies are refused, and nothing of them is queued."""
    outside = Outside()
    answer = outside.receive(kind, headers, body)
    assert answer.status == 401
    assert outside.queued == []
    assert isinstance(to_json(answer)["body"], str)


@given(st.sampled_from(SIGNED), st.data(), json_values)
def test_s01_any_signed_json_has_a_clear_answer(kind: str, data: st.DataObject, value: Any) -> None:
    """Whatever a sender signs is accepted, ignored or named as unreadable; queued means 202."""
    payload = {**PAYLOADS[kind], data.draw(st.sampled_from(sorted(PAYLOADS[kind]))): value}
    body = json.dumps(data.draw(st.sampled_from([payload, value]))).encode()
    outside = Outside()
    answer = outside.receive(kind, signed(kind, body), body)
    assert answer.status in (200, 202, 400)
    assert len(outside.queued) == (answer.status == 202)
    assert (answer.status == 400) is ("field" in answer.body)


@given(st.sampled_from(SIGNED), st.binary())
def test_s01_any_signed_bytes_have_a_clear_answer(kind: str, body: bytes) -> None:
    """A signature does not make bytes into JSON."""
    headers = signed(kind, body) if kind != "standard" else signed(kind, b"")
    assert Outside().receive(kind, headers, body).status in (400, 401)


@pytest.mark.parametrize("kind", SIGNED)
def test_a_signed_delivery_is_queued_whole(kind: str) -> None:
    """202, and the message holds the raw body, the headers and no secret."""
    outside = Outside()
    body = whole(kind)
    headers = {**signed(kind, body), "Cookie": "x", "User-Agent": "y"}
    assert outside.receive(kind, headers, body).status == 202
    (message,) = outside.queued
    sent = Delivery.from_message(message)
    assert (sent.body, sent.received_at) == (body, NOW)
    assert sent.headers == signed(kind, body)
    assert sent.source is not None
    assert sent.source.kind == kind
    assert HEX_SECRET not in message
    assert STANDARD_SECRET not in message


@pytest.mark.parametrize("kind", SIGNED)
def test_s02_a_flipped_byte_is_a_401(kind: str) -> None:
    """No byte of a signed body can be changed on its way."""
    outside, body = Outside(), whole(kind)
    headers = signed(kind, body)
    changed = list(flips(body))
    for other in changed[:: max(1, len(changed) // 200)]:
        assert outside.receive(kind, headers, other).status == 401
    assert outside.queued == []


def test_nobody_learns_what_is_there() -> None:
    """A source that is not there, another project's and a wrong signature look the same."""
    outside, body = Outside(), whole("github")
    answers = [
        outside.receive("github", {}, body),
        outside.receive("nobody", signed("github", body), body),
        outside.receive("github", signed("github", body), body, project="other"),
        outside.receive("reddit", signed("github", body), body),
        outside.receive("x:y", signed("github", body), body),
    ]
    assert [answer.status for answer in answers] == [401] * 5
    assert len({str(answer) for answer in answers}) == 1


def test_a_foreign_id_costs_no_look_up() -> None:
    """An id that is not of the project in the address is refused without asking the store."""
    outside = Outside(store_up=False)
    for kind, project in (("github", "other"), ("x:y", "larder"), ("*", "larder")):
        assert outside.receive(kind, {}, b"{}", project=project).status == 401
    assert outside.asked == []


def test_a_new_secret_is_looked_up_before_a_no() -> None:
    """What is remembered may be old: before a 401 the store is asked afresh, once."""
    outside, body = Outside(), whole("github")
    outside.receive("github", {}, body)
    assert outside.asked == [False, True]
    outside.asked.clear()
    outside.receive("github", signed("github", body), body)
    assert outside.asked == [False]


def test_s08_both_secrets_pass_while_one_is_replaced() -> None:
    """Old and new are accepted during the overlap; the retired one is a 401."""
    body = whole("sentry")
    headers = signed("sentry", body)
    for secrets, status in (
        ((HEX_SECRET, "new"), 202),
        (("new", HEX_SECRET), 202),
        (("new",), 401),
    ):
        one = replace(SOURCES["src_larder_sentry"], secrets=secrets)
        assert Outside({one.id: one}).receive("sentry", headers, body).status == status


def test_what_is_no_feedback_is_ignored() -> None:
    """200 with the reason: the sender has done nothing wrong, and nothing is queued."""
    outside, body = Outside(), b'{"zen": "Keep it simple."}'
    headers = {**signed("github", body), "x-github-event": "ping"}
    answer = outside.receive("github", headers, body)
    assert (answer.status, answer.body["status"]) == (200, "ignored")
    assert outside.queued == []


def test_with_the_store_down_everything_is_taken() -> None:
    """What can't be verified now is queued unverified, forged or not."""
    outside, body = Outside(store_up=False), whole("github")
    for headers in (signed("github", body), {}):
        assert outside.receive("github", headers, body).status == 202
    assert [Delivery.from_message(message).source for message in outside.queued] == [None, None]


def test_s06_without_the_queue_nothing_is_taken() -> None:
    """503 with a time to come back: senders retry a 5xx and give up on a 4xx."""
    for up in (True, False):
        outside, body = Outside(store_up=up, queue_up=False), whole("github")
        answer = outside.receive("github", signed("github", body), body)
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0


def test_a_large_body_is_refused_unread() -> None:
    """413 without a look-up; the largest one allowed is read."""
    outside = Outside()
    assert outside.receive("github", {}, b"x" * (MAX_BODY_BYTES + 1)).status == 413
    assert outside.asked == []
    assert outside.receive("github", {}, b"x" * MAX_BODY_BYTES).status == 401


def test_what_the_queue_can_not_hold_is_refused() -> None:
    """A body that no compression makes small enough is a 413, never a message cut short."""
    letters = [chr(code) for code in range(35, 127) if chr(code) != "\\"]
    for size, status in ((600_000, 202), (990_000, 413)):
        noise = "".join(random.Random(7).choices(letters, k=size))
        outside, body = Outside(), json.dumps(github_issue(body=noise)).encode()
        assert len(body) < MAX_BODY_BYTES
        assert outside.receive("github", signed("github", body), body).status == status
        assert len(outside.queued) == (status == 202)
