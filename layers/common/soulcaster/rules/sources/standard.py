"""Standard Webhooks (standardwebhooks.com): the way in for everybody else.

The payload is ``{"type": "feedback.…", "timestamp": …, "data": {…}}``; see
``soulcaster.rules.reported`` for what ``data`` has.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from soulcaster.rules.bare_source import configure, polled
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import member
from soulcaster.rules.reported import reported, time_in
from soulcaster.rules.source import Source, any_equal

__all__ = ("HEADERS", "LABEL", "PROGRAM", "SIGNING", "configure", "normalise", "polled", "verify")

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
LABEL = "Standard Webhooks"
SIGNING: Final = "made"
PROGRAM: Final = None
TOLERANCE_MS = 5 * 60 * 1000  # the specification's recommendation


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
    member(payload, "data", dict)
    return reported(
        source,
        payload,
        received_at,
        within="data",
        otherwise=headers.get("webhook-id") or "",
        sent_at=time_in(payload, "timestamp"),
    )
