"""Sentry's integration platform: issues, alerts of both kinds, and comments.

Source: Sentry's documentation, "Webhooks" of the integration platform.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from soulcaster.rules import ids
from soulcaster.rules.bare_source import configure, polled
from soulcaster.rules.feedback import SEVERITIES, Feedback, Severity
from soulcaster.rules.payload import (
    link,
    member,
    milliseconds,
    optional,
    title_and_body,
)
from soulcaster.rules.readings import Evidence, Settled
from soulcaster.rules.source import Source, any_equal
from soulcaster.rules.text import BODY_CHARS, clean

__all__ = ("HEADERS", "LABEL", "PROGRAM", "SIGNING", "configure", "normalise", "polled", "verify")

HEADERS = ("sentry-hook-resource", "sentry-hook-signature", "sentry-hook-timestamp")
LABEL = "Sentry"
SIGNING: Final = "given"
PROGRAM: Final = "Sentry issue"
_FRAMES = 12
# An event's API address is the only place where it says its project's slug.
_PROJECT = re.compile(r"/projects/[^/]{1,100}/([^/?#]{1,100})/events/")
# Sentry says "archived" and, of old, "ignored".
_ENDED = ("resolved", "archived", "ignored")
# How bad an incident is. "open" is in Sentry's code, though not in its documentation.
_ALERTS: dict[str, Severity] = {"open": "error", "warning": "warning", "critical": "fatal"}
# What can happen to a comment, in the only order in which it can.
_COMMENTED = ("created", "updated", "deleted")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> bool:
    """HMAC-SHA256 of the body in hex, under the integration's client secret."""
    del now  # Sentry signs no time
    given = headers.get("sentry-hook-signature", "")
    return any_equal(
        given, (hmac.new(s.encode(), body, hashlib.sha256).hexdigest() for s in secrets)
    )


def normalise(
    source: Source, headers: Mapping[str, str], payload: Any, received_at: int
) -> Feedback | Settled | Evidence | str:
    """One item for each issue and for each incident of a metric alert.

    Events of an issue count as occurrences of it. Comments are what the team says about it, so
    they report nothing.
    """
    resource = headers.get("sentry-hook-resource", "")
    sent = _sent(headers, received_at)
    if resource == "issue":
        return _issue(source, payload, sent, received_at)
    if resource == "event_alert":
        return _event(source, payload, received_at)
    if resource == "metric_alert":
        return _incident(source, payload, sent, received_at)
    if resource == "comment":
        return _comment(source, payload, sent, received_at)
    return f"Sentry's resource {resource or '(none)'} is not feedback"


def _issue(source: Source, payload: Any, sent: int, received_at: int) -> Feedback | Settled:
    issue = member(payload, "data.issue", dict)
    where = "data.issue"
    external_id = f"issue:{_id(payload, where + '.id')}"
    if payload.get("action") in _ENDED or issue.get("status") in _ENDED:
        return _settled(source, external_id, sent, received_at)
    title, body = title_and_body(
        member(payload, f"{where}.title", str), _culprit(issue), f"{where}.title"
    )
    count = optional(payload, f"{where}.count", (str, int))
    last_seen = optional(payload, f"{where}.lastSeen", str)
    first_seen = optional(payload, f"{where}.firstSeen", str)
    seen = milliseconds(last_seen, f"{where}.lastSeen") if last_seen else received_at
    return Feedback(
        project=source.project,
        source="sentry",
        source_id=source.id,
        channel=str(optional(issue, "project.slug", str) or "sentry"),
        external_id=external_id,
        title=title,
        body=body,
        author=None,
        url=link(issue.get("web_url")) or link(issue.get("permalink")),
        severity=_severity(issue.get("level")),
        occurrences=_count(count),
        created_at=milliseconds(first_seen, f"{where}.firstSeen") if first_seen else seen,
        received_at=received_at,
        version=seen,
        # Opening an issue again does not change when it was last seen; what was sent last is true.
        open_at=sent,
        details={"short_id": optional(payload, f"{where}.shortId", str)},
    )


def _event(source: Source, payload: Any, received_at: int) -> Feedback:
    event = member(payload, "data.event", dict)
    at = event.get("timestamp") or event.get("datetime")
    seen = milliseconds(at, "data.event.timestamp") if at is not None else received_at
    project = _PROJECT.search(optional(event, "url", str) or "")
    title, body = title_and_body(
        member(payload, "data.event.title", str), _trace(event), "data.event.title"
    )
    return Feedback(
        project=source.project,
        source="sentry",
        source_id=source.id,
        channel=project[1] if project else "sentry",
        external_id=f"issue:{_id(payload, 'data.event.issue_id')}",
        title=title,
        body=body,
        author=None,
        url=link(event.get("web_url")),
        severity=_severity(event.get("level")),
        occurrences=1,
        created_at=seen,
        received_at=received_at,
        version=seen,
        rank=1,  # it has the stack trace, which the issue's own webhook lacks
        occurrence_id=member(payload, "data.event.event_id", str)[:64],
        details={"exception": _exceptions(event)},
    )


def _incident(
    source: Source, payload: Any, sent: int, received_at: int
) -> Feedback | Settled | str:
    action = member(payload, "action", str)
    where = "data.metric_alert"
    external_id = f"metric:{_id(payload, where + '.id')}"
    if action == "resolved":
        return _settled(source, external_id, sent, received_at)
    if action not in _ALERTS:
        return f"a metric alert that is {action[:80]} is not news"
    title, body = title_and_body(
        member(payload, "data.description_title", str),
        optional(payload, "data.description_text", str) or "",
        "data.description_title",
    )
    started = optional(payload, f"{where}.date_started", str)
    projects = optional(payload, f"{where}.projects", list) or ()
    return Feedback(
        project=source.project,
        source="sentry",
        source_id=source.id,
        channel=next((one[:100] for one in projects if isinstance(one, str)), "sentry"),
        external_id=external_id,
        title=title,
        body=body,
        author=None,
        url=link(optional(payload, "data.web_url", str)),
        severity=_ALERTS[action],
        occurrences=1,
        created_at=milliseconds(started, f"{where}.date_started") if started else sent,
        received_at=received_at,
        version=sent,  # the payload says when it started, and not when it got worse
        details={"rule": member(payload, f"{where}.alert_rule.name", str)[:200]},
    )


def _comment(source: Source, payload: Any, sent: int, received_at: int) -> Evidence | str:
    action = member(payload, "action", str)
    if action not in _COMMENTED:
        return f"a comment that was {action[:80]} is not news"
    gone = action == "deleted"
    author = optional(payload, "actor.name", str)
    return Evidence(
        project=source.project,
        about=_item(source, f"issue:{_id(payload, 'data.issue_id')}"),
        id=_id(payload, "data.comment_id"),
        author=(author or "")[:200] or None,
        body="" if gone else clean(member(payload, "data.comment", str), BODY_CHARS),
        url=None,
        at=milliseconds(member(payload, "data.timestamp", str), "data.timestamp"),
        # Sent in whole seconds: in the same one, being deleted comes after being written.
        version=sent + _COMMENTED.index(action),
        received_at=received_at,
        reports=False,
        gone=gone,
    )


def _settled(source: Source, external_id: str, at: int, received_at: int) -> Settled:
    return Settled(
        project=source.project, about=_item(source, external_id), at=at, received_at=received_at
    )


def _item(source: Source, external_id: str) -> str:
    return ids.feedback_id(source.project, "sentry", external_id)


def _sent(headers: Mapping[str, str], received_at: int) -> int:
    """When this was sent, in ms; when it came, where that is not said."""
    text = headers.get("sentry-hook-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,11}", text):
        return received_at
    # It is not signed: whoever sends an old delivery again must not decide for the future.
    return min(int(text) * 1000, received_at)


def _id(payload: Any, path: str) -> str:
    return str(member(payload, path, (str, int)))[:64]


def _count(value: str | int | None) -> int:
    digits = str(value)[:12]  # more would be no count
    return max(1, int(digits)) if digits.isdecimal() else 1


def _severity(level: object) -> Severity | None:
    return next((one for one in SEVERITIES if one == level), None)


def _culprit(issue: dict[str, Any]) -> str:
    metadata = optional(issue, "metadata", dict) or {}
    parts = [issue.get("culprit"), metadata.get("value"), metadata.get("filename")]
    return "\n".join(str(part) for part in parts if part)


def _exceptions(event: dict[str, Any]) -> list[dict[str, Any]]:
    values = optional(event, "exception.values", list) or []
    return [
        {"type": str(v.get("type"))[:200], "frames": _frames(v)}
        for v in values
        if isinstance(v, dict)
    ]


def _frames(value: dict[str, Any]) -> list[str]:
    frames = optional(value, "stacktrace.frames", list) or []
    own = [f for f in frames if isinstance(f, dict) and f.get("in_app") is not False] or frames
    return [
        f"{f.get('module') or f.get('filename')}:{f.get('function')}"[:200]
        for f in own[-_FRAMES:]
        if isinstance(f, dict)
    ]


def _trace(event: dict[str, Any]) -> str:
    """Exception types, messages and frames, innermost last: what tells two errors apart."""
    lines = [str(event["culprit"])] if event.get("culprit") else []
    values = optional(event, "exception.values", list) or []
    for value in values:
        if isinstance(value, dict):
            lines.append(f"{value.get('type')}: {value.get('value')}")
            lines += [f"  {frame}" for frame in _frames(value)]
    if not values and event.get("message"):
        lines.append(str(event["message"]))
    return "\n".join(lines)
