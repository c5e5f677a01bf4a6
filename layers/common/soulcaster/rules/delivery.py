"""A delivery: what a source sent, on its way through the queue to the store."""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.filters import Filters
from soulcaster.rules.kinds import KEPT_HEADERS, KINDS
from soulcaster.rules.payload import Unreadable, member, optional
from soulcaster.rules.readings import Reading
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
        """The queue message; its body is compressed, as the store keeps it.

        No secret of ours is in it, nor one of the sender's that was verified: those who can't sign
        send theirs in a header.
        """
        source = self.source
        proved = source.accepted(self.received_at) if source else ()
        return json.dumps(
            {
                "v": 1,
                "project": self.project,
                "source_id": self.source_id,
                "kind": source.kind if source else None,
                "name": source.name if source else None,
                "config": source.config if source else {},
                "filters": asdict(source.filters) if source else {},
                "headers": {k: v for k, v in self.headers.items() if v not in proved},
                "body": pack(self.body),
                "received_at": self.received_at,
            }
        )

    @classmethod
    def from_message(cls, message: str) -> "Delivery":
        """What ``message`` wrote; raises ``Unreadable``."""
        try:
            m = json.loads(message)
        except (ValueError, RecursionError) as error:
            raise Unreadable("message", "is not JSON") from error
        if member(m, "v", int) != 1:
            raise Unreadable("v", "is a version this code does not know")
        project, source_id = member(m, "project", str), member(m, "source_id", str)
        kind = optional(m, "kind", str)
        if kind is not None and kind not in KINDS:
            raise Unreadable("kind", "is a kind this code does not know")
        try:
            filters = Filters.of(optional(m, "filters", dict) or {})
        except TypeError as error:
            raise Unreadable("filters", "has what this code does not know") from error
        headers = member(m, "headers", dict)
        if not all(isinstance(value, str) for value in headers.values()):
            raise Unreadable("headers", "has the wrong type")
        return cls(
            project=project,
            source_id=source_id,
            source=Source(
                id=source_id,
                project=project,
                kind=kind,
                name=member(m, "name", str),
                config=optional(m, "config", dict) or {},
                filters=filters,
            )
            if kind
            else None,
            headers=headers,
            body=unpack(member(m, "body", str)),
            received_at=member(m, "received_at", int),
        )

    @property
    def packed_body(self) -> str:
        """The body as it is kept: compressed, as text."""
        return pack(self.body)


def pack(body: bytes) -> str:
    """``body`` compressed and as text."""
    return base64.b64encode(zlib.compress(body, 6)).decode()


def unpack(text: str) -> bytes:
    """What ``pack`` was given; never more than a delivery may hold. Raises ``Unreadable``."""
    decoder = zlib.decompressobj()
    try:
        body = decoder.decompress(base64.b64decode(text, validate=True), MAX_BODY_BYTES + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise Unreadable("body", "is not compressed as it should be") from error
    if len(body) > MAX_BODY_BYTES:
        raise Unreadable("body", "is too large")
    if not decoder.eof:
        raise Unreadable("body", "is cut short")
    return body


def kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that some kind of source needs, in lower case."""
    return {k.lower(): v for k, v in headers.items() if k.lower() in KEPT_HEADERS}


def verified(delivery: Delivery, source: Source) -> bool:
    """Whether ``source``'s secrets signed this, as of when it was received."""
    kind = KINDS[source.kind]
    at = delivery.received_at
    return kind.verify(delivery.headers, delivery.body, source.accepted(at), at)


def read(delivery: Delivery, source: Source) -> tuple[Reading, ...] | str:
    """What is in a delivery, or why it is none of our business. Raises ``Unreadable``."""
    kind = KINDS[source.kind]
    if not source.enabled:
        return "the source is switched off"
    try:
        payload = _json(delivery.body)
        if not isinstance(payload, dict):
            raise Unreadable("body", "is not a JSON object")
        found = kind.normalise(source, delivery.headers, payload, delivery.received_at)
    except RecursionError as error:
        raise Unreadable("body", "is nested too deeply") from error
    if isinstance(found, str):
        return found
    readings = found if isinstance(found, tuple) else (found,)
    for one in readings:
        # What is said about an item that is not wanted is not wanted either.
        if isinstance(one, Feedback) and (why := source.filters.against(one)):
            return why
    return readings


def _json(body: bytes) -> Any:
    try:
        payload = json.loads(body.decode("utf-8-sig"))
        if b"\\ud" not in body and b"\\uD" not in body:
            return payload
        # Half of a surrogate pair can be written in JSON, and neither be stored nor answered.
        return json.loads(json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace"))
    except ValueError as error:
        raise Unreadable("body", "is not JSON") from error
