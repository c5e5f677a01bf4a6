"""Accept a webhook: verify the raw bytes, put them on the queue, answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from soulcaster.rules import delivery, ids
from soulcaster.rules.delivery import MAX_BODY_BYTES, MAX_MESSAGE_BYTES, Delivery
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.source import Source


class Unreachable(Exception):  # noqa: N818 - a state of the world
    """What was asked for can't be had now; whether it exists is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers for the sender."""

    status: int
    body: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)


def receive(
    project: str,
    source_id: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    find_source: Callable[[str, str, bool], Source | None],
    send: Callable[[str], None],
    now: int,
) -> Answer:
    """Answer 2xx only after the queue has the delivery.

    ``find_source(project, source id, fresh)`` returns the source, None when there is none, and
    raises ``Unreachable``; ``fresh`` asks for more than what is remembered. ``send`` raises
    ``Unreachable``. With the store down nothing can be verified here, so the delivery is
    taken as it is and verified before it is stored.
    """
    if len(body) > MAX_BODY_BYTES:
        return Answer(413, {"error": f"body: has more than {MAX_BODY_BYTES} bytes"})
    arrived = Delivery(
        project=project,
        source_id=source_id,
        source=None,
        headers=delivery.kept(headers),
        body=body,
        received_at=now,
    )
    try:
        source = _signed_by(arrived, find_source)
    except Unreachable:
        return _enqueue(arrived, send)
    if source is None:
        # One answer for a wrong signature and for a source that is not there.
        return Answer(401, {"error": "the signature is missing or wrong"})
    try:
        found = delivery.read(arrived, source)
    except Unreadable as error:
        return Answer(400, {"error": str(error), "field": error.field})
    if isinstance(found, str):
        return Answer(200, {"status": "ignored", "reason": found})
    return _enqueue(replace(arrived, source=source), send)


def _signed_by(
    arrived: Delivery, find_source: Callable[[str, str, bool], Source | None]
) -> Source | None:
    """The source, if one of its secrets signed this; asks afresh before it says no."""
    if ids.project_of(arrived.source_id, "src") != arrived.project:
        return None
    for fresh in (False, True):
        source = find_source(arrived.project, arrived.source_id, fresh)
        if source is not None and delivery.verified(arrived, source):
            return source
    return None


def _enqueue(accepted: Delivery, send: Callable[[str], None]) -> Answer:
    message = accepted.message()
    if len(message) > MAX_MESSAGE_BYTES:
        return Answer(413, {"error": "body: is too large for the queue, even compressed"})
    try:
        send(message)
    except Unreachable:
        # Senders retry a 5xx and give up on a 4xx.
        error = {"error": "the queue did not take the delivery; send it again"}
        return Answer(503, error, {"retry-after": "30"})
    return Answer(202, {"status": "accepted"})


def to_json(answer: Answer) -> dict[str, object]:
    """The answer as the HTTP API wants it from a function."""
    return {
        "statusCode": answer.status,
        "headers": {"content-type": "application/json", **answer.headers},
        "body": json.dumps(answer.body),
    }
