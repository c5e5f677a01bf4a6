"""Accept a webhook: verify the raw bytes, put them on the queue, answer."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from soulcaster.edges.lean import LeanError
from soulcaster.rules import delivery, ids, quota
from soulcaster.rules.delivery import MAX_BODY_BYTES, MAX_MESSAGE_BYTES, Delivery
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.quota import Over, Standing
from soulcaster.rules.readings import Reading
from soulcaster.rules.source import Source


class Known(Protocol):
    """What is known of sources and projects; see ``edges.receiver_store``."""

    def find(self, project: str, source_id: str, now: int, *, fresh: bool) -> Source | None:
        """The source, None when there is none; raises ``LeanError``."""

    def taken(self, source: Source, now: int) -> int:
        """How many deliveries of the source were taken in this minute."""

    def standing(self, project: str) -> Standing | None:
        """What is known of the project's quotas."""

    def took(self, source: Source, items: int, now: int) -> None:
        """A delivery with so many items was taken."""

    def refused_rate(self, source: Source, now: int) -> None:
        """Count one that came too fast."""

    def refused_quota(self, source: Source, now: int) -> Standing | None:
        """How things stand by now; counts one as refused if there is no room."""

    def note(self, source: Source, what: str, error: str, now: int) -> None:
        """Let whoever set the source up know; ``error`` is '' when nothing was wrong."""


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
    known: Known,
    send: Callable[[str], None],
    now: int,
) -> Answer:
    """Answer 2xx only after the queue has the delivery.

    ``send`` raises ``LeanError``. With the store down nothing can be verified here, so the delivery
    is taken as it is and verified before it is stored.
    """
    if len(body) > MAX_BODY_BYTES:
        return Answer(413, {"error": f"body: has more than {MAX_BODY_BYTES} bytes"})
    given = {name.lower(): value for name, value in headers.items()}
    arrived = Delivery(
        project=project,
        source_id=source_id,
        source=None,
        headers=delivery.kept(given),
        body=body,
        received_at=now,
    )
    content_type = given.get("content-type", "")
    try:
        source, signed = _signed_by(arrived, known)
    except LeanError:
        wrong = _wrong_type(content_type)
        return _refused(wrong) if wrong else _enqueue(arrived, send)
    if source is None or not signed:
        # One answer for a wrong signature and for a source that is not there.
        error = "the signature is missing or wrong"
        if source and KINDS[source.kind].SIGNING != "none":
            known.note(source, "signature", error, now)
        return Answer(401, {"error": error})
    try:
        found = _wrong_type(content_type) or delivery.read(arrived, source)
    except Unreadable as error:
        found = error
    if isinstance(found, Unreadable):
        known.note(source, "payload", str(found), now)
        return _refused(found)
    if isinstance(found, str):
        # That a ping came shows that the source is wired up.
        known.note(source, "delivery", "", now)
        return Answer(200, {"status": "ignored", "reason": found})
    return _take(replace(arrived, source=source), source, found, known, send)


def _take(
    accepted: Delivery,
    source: Source,
    found: Sequence[Reading],
    known: Known,
    send: Callable[[str], None],
) -> Answer:
    """Put a delivery on the queue, if its source and project may send so much."""
    now, items = accepted.received_at, sum(isinstance(reading, Feedback) for reading in found)
    if over := _over(source, items, known, now):
        return Answer(429, {"error": over.why}, {"retry-after": str(over.retry_after)})
    answer = _enqueue(accepted, send)
    if answer.status == 202:
        known.took(source, items, now)
    return answer


def _wrong_type(content_type: str) -> Unreadable | None:
    """What is wrong with a content type; one that is missing is taken for JSON."""
    media = content_type.partition(";")[0].strip().lower()
    if not media or media == "application/json" or media.endswith("+json"):
        return None
    return Unreadable("content-type", "is not JSON; at the sender, set it to application/json")


def _refused(error: Unreadable) -> Answer:
    return Answer(400, {"error": str(error), "field": error.field})


def _signed_by(arrived: Delivery, known: Known) -> tuple[Source | None, bool]:
    """The source and whether one of its secrets signed this; asks afresh before it says no."""
    if ids.project_of(arrived.source_id, "src") != arrived.project:
        return None, False
    source = None
    for fresh in (False, True):
        source = known.find(arrived.project, arrived.source_id, arrived.received_at, fresh=fresh)
        if source is not None and delivery.verified(arrived, source):
            return source, True
    return source, False


def _over(source: Source, items: int, known: Known, now: int) -> Over | None:
    """Why a delivery has to wait: its source's rate, or a quota if it has ``items``.

    What says something about an item that is there needs no room.
    """
    if over := quota.too_fast(source.per_minute, known.taken(source, now), now):
        known.refused_rate(source, now)
        return over
    standing = known.standing(source.project) if items else None
    if standing is None or not quota.over(standing, now):
        return None
    standing = known.refused_quota(source, now)
    # Where nobody can say, it is taken: a little too much is better than lost.
    return quota.over(standing, now) if standing else None


def _enqueue(accepted: Delivery, send: Callable[[str], None]) -> Answer:
    message = accepted.message()
    if len(message) > MAX_MESSAGE_BYTES:
        return Answer(413, {"error": "body: is too large for the queue, even compressed"})
    try:
        send(message)
    except LeanError:
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
