"""A delivery: what a source sent, on its way through the queue to the store."""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soulcaster.rules.feedback import Feedback, Unreadable
from soulcaster.rules.kinds import KEPT_HEADERS, KINDS
from soulcaster.rules.source import Source

MAX_BODY_BYTES = 1_000_000
# SQS takes 1 MiB a message, counted over body and attributes.
MAX_MESSAGE_BYTES = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The raw body and what is needed to verify and read it later.

    ``source`` is None when it could not be looked up on arrival; then nothing has been
    verified yet, and nothing may be stored before it is.
    """

    project: str
    source_id: str
    source: Source | None
    headers: dict[str, str]
    body: bytes
    received_at: int

    def message(self) -> str:
        """The queue message; its body is compressed, as the store keeps it. No secret in it."""
        source = self.source
        return json.dumps(
            {
                "v": 1,
                "project": self.project,
                "source_id": self.source_id,
                "kind": source.kind if source else None,
                "name": source.name if source else None,
                "headers": self.headers,
                "body": pack(self.body),
                "received_at": self.received_at,
            }
        )

    @classmethod
    def from_message(cls, message: str) -> "Delivery":
        """What ``message`` wrote; raises ``Unreadable``."""
        try:
            m = json.loads(message)
            if m["v"] != 1:
                raise Unreadable("v", "is a version this code does not know")
            verified = m["kind"] is not None
            return cls(
                project=m["project"],
                source_id=m["source_id"],
                source=Source(
                    id=m["source_id"], project=m["project"], kind=m["kind"], name=m["name"]
                )
                if verified
                else None,
                headers=m["headers"],
                body=unpack(m["body"]),
                received_at=m["received_at"],
            )
        except (KeyError, TypeError, binascii.Error, zlib.error, ValueError) as error:
            if isinstance(error, Unreadable):
                raise
            raise Unreadable("message", f"is no delivery: {error}") from error

    @property
    def packed_body(self) -> str:
        """The body as it is kept: compressed, as text."""
        return pack(self.body)


def pack(body: bytes) -> str:
    """``body`` compressed and as text."""
    return base64.b64encode(zlib.compress(body, 6)).decode()


def unpack(text: str) -> bytes:
    """What ``pack`` was given; never more than a delivery may hold."""
    decoder = zlib.decompressobj()
    body = decoder.decompress(base64.b64decode(text, validate=True), MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise Unreadable("body", "is too large")
    return body


def kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that some kind of source needs, in lower case."""
    return {k.lower(): v for k, v in headers.items() if k.lower() in KEPT_HEADERS}


def verified(delivery: Delivery, source: Source) -> bool:
    """Whether ``source``'s secrets signed this, as of when it was received."""
    kind = KINDS[source.kind]
    return kind.verify(delivery.headers, delivery.body, source.secrets, delivery.received_at)


def read(delivery: Delivery, source: Source) -> Feedback | str:
    """The feedback in a delivery, or why it is none of our business; raises ``Unreadable``."""
    try:
        payload: Any = json.loads(delivery.body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("body", "is not JSON") from error
    if not isinstance(payload, dict):
        raise Unreadable("body", "is not a JSON object")
    return KINDS[source.kind].normalise(source, delivery.headers, payload, delivery.received_at)
