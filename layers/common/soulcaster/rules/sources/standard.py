"""Standard Webhooks (standardwebhooks.com): the way in for everybody else.

The payload is ``{"type": "feedback.…", "timestamp": …, "data": {…}}``; ``data`` has ``title``
or ``text`` (or both) and may have ``id``, ``author``, ``url``, ``severity``, ``source`` (where
it was said), ``created_at``, ``updated_at``, ``occurrences`` and ``resolved``.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from soulcaster.rules.feedback import SEVERITIES, Feedback
from soulcaster.rules.payload import (
    Unreadable,
    link,
    member,
    milliseconds,
    no_more_than,
    optional,
    title_and_body,
)
from soulcaster.rules.source import Source, any_equal

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
LABEL = "Standard Webhooks"
SIGNING: Final = "made"
TOLERANCE_MS = 5 * 60 * 1000  # the specification's recommendation


def configure(config: Mapping[str, Any]) -> dict[str, Any]:
    """There is nothing to set."""
    no_more_than(config)
    return {}


def polled(config: Mapping[str, Any]) -> bool:
    """Never."""
    del config
    return False


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> bool:
    """``v1,`` and the base64 HMAC-SHA256 of ``id.timestamp.body``; at most 5 minutes old."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or not (timestamp.isascii() and timestamp.isdecimal()):
        return False
    if len(timestamp) > 12 or abs(now - int(timestamp) * 1000) > TOLERANCE_MS:
        return False
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body
    expected = [
        "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        for key in map(_key, secrets)
    ]
    given = headers.get("webhook-signature", "").split(" ")[:8]
    return any(any_equal(one, expected) for one in given)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def normalise(
    source: Source, headers: Mapping[str, str], payload: Any, received_at: int
) -> Feedback | str:
    """One item of feedback; events of other types are none of our business."""
    event = member(payload, "type", str)
    if not event.startswith("feedback."):
        return f"the type {event[:80]} is not feedback"
    data = member(payload, "data", dict)
    title, body = title_and_body(
        optional(payload, "data.title", str) or "",
        optional(payload, "data.text", str) or "",
        "data.title or data.text",
    )
    external_id = optional(payload, "data.id", (str, int))
    if external_id is None:
        external_id = headers.get("webhook-id") or ""
    if external_id == "":
        raise Unreadable("data.id", "is missing")
    created = _time(payload, "data.created_at") or _time(payload, "timestamp") or received_at
    severity = optional(payload, "data.severity", str)
    if severity is not None and severity not in SEVERITIES:
        raise Unreadable("data.severity", f"is none of {', '.join(SEVERITIES)}")
    return Feedback(
        project=source.project,
        source="standard",
        source_id=source.id,
        channel=(optional(payload, "data.source", str) or source.name)[:100],
        external_id=str(external_id)[:200],
        title=title,
        body=body,
        author=(optional(payload, "data.author", str) or "")[:200] or None,
        url=link(data.get("url")),
        severity=severity,
        occurrences=max(1, min(10**9, optional(payload, "data.occurrences", int) or 1)),
        created_at=created,
        received_at=received_at,
        version=_time(payload, "data.updated_at") or _time(payload, "timestamp") or created,
        open=data.get("resolved") is not True,
    )


def _time(payload: Any, path: str) -> int | None:
    value = optional(payload, path, (str, int, float))
    return None if value is None else milliseconds(value, path)
