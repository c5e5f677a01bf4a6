"""Feedback in the words of our own documentation, which several kinds of source send.

An object with ``title`` or ``text`` (or both) that may have ``id``, ``author``, ``url``,
``severity``, ``source`` (where it was said), ``created_at``, ``updated_at``, ``occurrences`` and
``resolved``. Other members are nobody's business.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from soulcaster.rules.feedback import SEVERITIES, Feedback
from soulcaster.rules.payload import (
    Unreadable,
    link,
    milliseconds,
    optional,
    title_and_body,
)
from soulcaster.rules.source import Source

FIELDS = (
    *("id", "title", "text", "author", "url", "severity", "source"),
    *("created_at", "updated_at", "occurrences", "resolved"),
)
ID_CHARS: Final = 200
SENDER: Final = "sent-by"  # the header in which our own door says who sent something


def reported(
    source: Source,
    payload: Mapping[str, Any],
    received_at: int,
    *,
    within: str = "",
    otherwise: str = "",
    sent_at: int | None = None,
) -> Feedback:
    """The item of ``payload``, or of its member ``within``; raises ``Unreadable``.

    ``otherwise`` is its id where it has none of its own, and ``sent_at`` (ms) its time.
    """
    path = f"{within}." if within else ""
    title, body = title_and_body(
        optional(payload, f"{path}title", str) or "",
        optional(payload, f"{path}text", str) or "",
        f"{path}title or {path}text",
    )
    external_id = optional(payload, f"{path}id", (str, int))
    if external_id is None:
        external_id = otherwise
    if external_id == "":
        raise Unreadable(f"{path}id", "is missing")
    severity = optional(payload, f"{path}severity", str)
    if severity is not None and severity not in SEVERITIES:
        raise Unreadable(f"{path}severity", f"is none of {', '.join(SEVERITIES)}")
    created = time_in(payload, f"{path}created_at") or sent_at or received_at
    data = payload[within] if within else payload
    return Feedback(
        project=source.project,
        source=source.kind,
        source_id=source.id,
        channel=(optional(payload, f"{path}source", str) or source.name)[:100],
        external_id=_bounded(str(external_id)),
        title=title,
        body=body,
        author=(optional(payload, f"{path}author", str) or "")[:200] or None,
        url=link(data.get("url")),
        severity=severity,
        occurrences=max(1, min(10**9, optional(payload, f"{path}occurrences", int) or 1)),
        created_at=created,
        received_at=received_at,
        version=time_in(payload, f"{path}updated_at") or sent_at or created,
        open=data.get("resolved") is not True,
    )


def submitted(
    source: Source, headers: Mapping[str, str], payload: Any, received_at: int
) -> Feedback:
    """One item of feedback that came by our own door, and who sent it: a key or a person."""
    item = reported(source, payload, received_at)
    return replace(item, details={"sent_by": headers.get(SENDER)})


def _bounded(identifier: str) -> str:
    """An id that is not too long to be kept; of two that differ each has its own."""
    if len(identifier) <= ID_CHARS:
        return identifier
    digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"{identifier[: ID_CHARS - 41]}~{digest}"


def time_in(payload: Any, path: str) -> int | None:
    """The moment at a dotted path in ms, None where it is missing; raises ``Unreadable``."""
    value = optional(payload, path, (str, int, float))
    return None if value is None else milliseconds(value, path)
