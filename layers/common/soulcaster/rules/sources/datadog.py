"""Datadog's monitors, by the payload that docs/sources/datadog.md gives to paste.

Source: Datadog's documentation, "Webhooks" (its variables) and "Notifications" (its tests).
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from soulcaster.rules import ids
from soulcaster.rules.bare_source import configure, polled
from soulcaster.rules.feedback import SEVERITIES, Feedback
from soulcaster.rules.payload import (
    Unreadable,
    link,
    member,
    milliseconds,
    optional,
    title_and_body,
)
from soulcaster.rules.readings import Settled
from soulcaster.rules.source import Source, any_equal

__all__ = ("HEADERS", "LABEL", "PROGRAM", "SIGNING", "configure", "normalise", "polled", "verify")

HEADERS = ("x-soulcaster-secret",)
LABEL = "Datadog"
SIGNING: Final = "made"
PROGRAM: Final = "Datadog monitor"
_ALERTS = ("Triggered", "Re-Triggered", "Warn", "Re-Warn", "No Data", "Re-No Data", "Renotify")
# Datadog puts these before what a monitor is called; the state changes, the name does not.
_TEST = re.compile(r"\s*(?:\[P[1-5]\]\s*)?\[TEST\]")
_STATE = re.compile(
    r"\s*(?:\[P[1-5]\]\s*)?"
    r"\[(?:Re-)?(?:Triggered|Warn|No Data|Renotify)(?: on \{[^{}]{0,2000}\})?\]"
)
_MENTION = re.compile(r"@webhook-[\w-]+")
_MOST_TAGS = 20


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> bool:
    """The secret itself, in a header of its own: Datadog signs nothing."""
    del body, now
    return any_equal(headers.get("x-soulcaster-secret", ""), secrets)


def normalise(
    source: Source, headers: Mapping[str, str], payload: Any, received_at: int
) -> Feedback | Settled | str:
    """One item for each group of a monitor (a host, a service); its alerts are occurrences."""
    del headers
    if "transition" not in payload:
        raise Unreadable("transition", "is missing")
    transition = _text(payload, "transition") or "(none)"
    title = _text(payload, "title") or ""
    if _TEST.match(title):
        return "a test of a monitor's notifications is not feedback"
    if transition.endswith("Recovered"):
        return Settled(
            project=source.project,
            about=ids.feedback_id(source.project, source.id, _external_id(payload)),
            at=_date(payload),
            received_at=received_at,
        )
    if transition not in _ALERTS:
        return f"Datadog's transition {transition[:80]} is not feedback"
    return _alert(source, payload, title, received_at)


def _alert(source: Source, payload: Any, title: str, received_at: int) -> Feedback:
    at = _date(payload)
    state = _STATE.match(title)
    title, body = title_and_body(
        title[state.end() :] if state else title,
        _MENTION.sub("", _text(payload, "text") or ""),
        "title",
    )
    kind = _text(payload, "type")
    return Feedback(
        project=source.project,
        source="datadog",
        source_id=source.id,
        channel=(_text(payload, "organisation") or "datadog")[:100],
        external_id=_external_id(payload),
        title=title,
        body=body,
        author=None,
        url=link(_text(payload, "link")),
        severity=next((one for one in SEVERITIES if one == kind), None),
        occurrences=1,
        created_at=at,
        received_at=received_at,
        version=at,
        occurrence_id=_identifier(payload, "event"),
        details={
            "monitor": _identifier(payload, "monitor"),
            "scope": _tags(payload, "scope"),
            "tags": _tags(payload, "tags"),
            "host": (_text(payload, "host") or "")[:200] or None,
            "priority": (_text(payload, "priority") or "")[:20] or None,
        },
    )


def _external_id(payload: Any) -> str:
    """The monitor, and the group of it that alerts: the same from the alert to the recovery."""
    name = f"monitor:{_identifier(payload, 'monitor')}"
    tags = sorted(tag.strip() for tag in (_text(payload, "scope") or "").split(","))
    scope = ",".join(filter(None, tags))
    if not scope:
        return name
    digest = hashlib.sha256(scope.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name}:{digest[:16]}"


def _identifier(payload: Any, name: str) -> str:
    value = str(member(payload, name, (str, int)))[:64]
    if value in ("", "null"):
        raise Unreadable(name, "is missing")
    return value


def _tags(payload: Any, name: str) -> list[str]:
    tags = (tag.strip()[:200] for tag in (_text(payload, name) or "").split(","))
    return sorted(filter(None, tags))[:_MOST_TAGS]


def _text(payload: Any, name: str) -> str | None:
    value = optional(payload, name, str)
    # A variable that has no value here becomes this word.
    return None if value in ("", "null", "Null") else value


def _date(payload: Any) -> int:
    text = str(member(payload, "date", (str, int)))
    if not re.fullmatch(r"[0-9]{1,14}", text):
        raise Unreadable("date", "is not milliseconds since 1970")
    return milliseconds(int(text) // 1000, "date") + int(text) % 1000
