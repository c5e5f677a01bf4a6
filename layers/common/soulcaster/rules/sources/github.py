"""GitHub's ``issues`` webhook, and issues fetched from its REST API.

Source: GitHub's documentation, "Webhook events and payloads" and "Validating webhook
deliveries".
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import link, member, milliseconds, optional, title_and_body
from soulcaster.rules.source import Source, any_equal

HEADERS = ("x-github-event", "x-hub-signature-256")
_FOLLOWED = ("opened", "edited", "closed", "reopened")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> bool:
    """``sha256=`` and the HMAC-SHA256 of the body in hex."""
    del now  # GitHub signs no time
    given = headers.get("x-hub-signature-256", "")
    return any_equal(
        given,
        ("sha256=" + hmac.new(s.encode(), body, hashlib.sha256).hexdigest() for s in secrets),
    )


def normalise(
    source: Source, headers: Mapping[str, str], payload: Any, received_at: int
) -> Feedback | str:
    """The issue that was opened, edited, closed or reopened."""
    event = headers.get("x-github-event", "")
    if event != "issues":
        return f"GitHub's event {event or '(none)'} is not feedback"
    action = member(payload, "action", str)
    if action not in _FOLLOWED:
        return f"an issue that was {action} is not news"
    return read_issue(
        source,
        member(payload, "issue", dict),
        member(payload, "repository.full_name", str),
        received_at,
    )


def read_issue(
    source: Source, issue: dict[str, Any], repository: str, received_at: int
) -> Feedback | str:
    """An issue as both the webhook and the REST API give it."""
    if issue.get("pull_request"):
        return "a pull request is not feedback"
    title, body = title_and_body(
        member(issue, "title", str), optional(issue, "body", str) or "", "issue.title"
    )
    labels = [
        str(label.get("name"))[:50]
        for label in optional(issue, "labels", list) or ()
        if isinstance(label, dict)
    ]
    return Feedback(
        project=source.project,
        source="github",
        source_id=source.id,
        channel=repository[:200],
        # The number changes when an issue is transferred; the id is GitHub's for ever.
        external_id=f"issue:{member(issue, 'id', int)}",
        title=title,
        body=body,
        author=optional(issue, "user.login", str),
        url=link(issue.get("html_url")),
        severity=None,
        occurrences=1,
        created_at=milliseconds(member(issue, "created_at", str), "issue.created_at"),
        received_at=received_at,
        version=milliseconds(member(issue, "updated_at", str), "issue.updated_at"),
        open=issue.get("state") != "closed",
        details={"number": member(issue, "number", int), "labels": labels[:20]},
    )
