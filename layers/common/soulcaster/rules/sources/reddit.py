"""Submissions that the poller read from a subreddit."""

from collections.abc import Mapping, Sequence
from typing import Any

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import link, member, milliseconds, optional, title_and_body
from soulcaster.rules.source import Source

HEADERS: tuple[str, ...] = ()


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> bool:
    """Never: Reddit sends no webhooks, so whoever posts one is not Reddit."""
    del headers, body, secrets, now
    return False


def normalise(
    source: Source, headers: Mapping[str, str], payload: Any, received_at: int
) -> Feedback | str:
    """One submission, in the form that the Reddit edge returns."""
    del headers
    title, body = title_and_body(
        member(payload, "title", str), optional(payload, "selftext", str) or "", "title"
    )
    created = milliseconds(member(payload, "created_utc", (int, float)), "created_utc")
    edited = payload.get("edited")  # false, or when
    return Feedback(
        project=source.project,
        source="reddit",
        source_id=source.id,
        channel="r/" + member(payload, "subreddit", str),
        external_id=f"t3_{member(payload, 'id', str)}",
        title=title,
        body=body,
        author=optional(payload, "author", str),
        url=link(payload.get("permalink")) or link(payload.get("url")),
        severity=None,
        occurrences=1,
        created_at=created,
        received_at=received_at,
        version=milliseconds(edited, "edited") if edited else created,
    )
