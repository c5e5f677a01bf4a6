"""What sources send about the same few things: payloads as the vendors have them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from soulcaster.rules import ids
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.source import Source
from tests.support import seeds

type Payload = tuple[str, Mapping[str, str], Mapping[str, Any]]

LAST = 4  # minute of the story
MOVED = 10  # what an issue's number grows by when it is transferred
REPOSITORY = {"full_name": "acme/larder"}


def at(minute: int) -> str:
    """A moment of the story, in ISO 8601."""
    return datetime.fromtimestamp(seeds.THEN // 1000 + 60 * minute, UTC).isoformat()


def issue_of(number: int, minute: int, *, closed: bool, title: str) -> dict[str, Any]:
    """An issue as GitHub has it."""
    return {
        "id": number,
        "number": number,
        "title": title,
        "body": "",
        "state": "closed" if closed else "open",
        "created_at": at(0),
        "updated_at": at(minute),
        "html_url": f"https://github.example/acme/larder/issues/{number}",
    }


def github(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """An issue that somebody opens, edits, closes or opens again."""
    issue = issue_of(number, minute, closed=closed, title=title)
    action = "closed" if closed else "edited"
    body = {"action": action, "issue": issue, "repository": REPOSITORY}
    return "github", {"x-github-event": "issues"}, body


def comment(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """What somebody says about the issue, says otherwise or takes back."""
    said = {
        "id": number,
        "user": {"login": "grace"},
        "author_association": "NONE",
        "body": title,
        "html_url": f"https://github.example/acme/larder/issues/{number}#{number}",
        "created_at": at(0),
        "updated_at": at(minute),
    }
    issue = issue_of(number, minute, closed=closed, title=title)
    action = "deleted" if minute == LAST else "edited"
    body = {"action": action, "issue": issue, "comment": said, "repository": REPOSITORY}
    return "github", {"x-github-event": "issue_comment"}, body


def transferred(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """The issue gets another id, under which there is news of it, too."""
    if minute > 1:
        return github(number + MOVED, minute, closed=closed, title=title)
    old = issue_of(number, minute, closed=closed, title=title)
    new = {"new_issue": {**old, "id": number + MOVED}, "new_repository": REPOSITORY}
    body = {"action": "transferred", "issue": old, "changes": new, "repository": REPOSITORY}
    return "github", {"x-github-event": "issues"}, body


def deleted(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """Somebody deletes the issue, under either of its ids; the first issue is never deleted."""
    if number == 1:
        return github(number, minute, closed=closed, title=title)
    number += MOVED * closed
    issue = issue_of(number, minute, closed=closed, title=title)
    body = {"action": "deleted", "issue": issue, "repository": REPOSITORY}
    return "github", {"x-github-event": "issues"}, body


def sentry_issue(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """An issue as Sentry's own webhook has it, with the count that Sentry keeps."""
    issue = {
        "id": str(number),
        "title": title,
        "culprit": "larder.units in convert",
        "count": str(minute + 1),
        "firstSeen": at(0),
        "lastSeen": at(minute),
        "status": "resolved" if closed else "unresolved",
    }
    return "sentry", {"sentry-hook-resource": "issue"}, {"data": {"issue": issue}}


def sentry_event(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """An event of the issue: one more occurrence."""
    del closed  # events know nothing of that
    event = {
        "event_id": f"{number:016x}{minute:016x}",
        "issue_id": str(number),
        "title": title,
        "datetime": at(minute),
        "message": "It failed.",
    }
    return "sentry", {"sentry-hook-resource": "event_alert"}, {"data": {"event": event}}


def standard(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """Feedback that its sender updates and resolves."""
    data = {
        "id": number,
        "title": title,
        "created_at": at(0),
        "updated_at": at(minute),
        "resolved": closed,
    }
    return "standard", {"webhook-id": "1"}, {"type": "feedback.updated", "data": data}


def message(payload: Payload, moment: int) -> str:
    """The queue's message about a verified delivery that came in at ``moment``."""
    kind, headers, body = payload
    identifier = ids.source_id(seeds.PROJECT, kind)
    return Delivery(
        project=seeds.PROJECT,
        source_id=identifier,
        source=Source(id=identifier, project=seeds.PROJECT, kind=kind, name=kind),
        headers=dict(headers),
        body=json.dumps(body).encode(),
        received_at=moment,
    ).message()
