"""Submissions that the poller read from a subreddit."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import (
    Unreadable,
    link,
    member,
    milliseconds,
    no_more_than,
    optional,
    title_and_body,
)
from soulcaster.rules.source import Source

HEADERS: tuple[str, ...] = ()
MOST_SUBREDDITS = 20
SUBREDDIT = re.compile(r"[A-Za-z0-9_]{2,21}")
LABEL = "Reddit"
SIGNING: Final = "none"


def configure(config: Mapping[str, Any]) -> dict[str, Any]:
    """``subreddits``: 1 to 20 names, without ``r/``."""
    no_more_than(config, "subreddits")
    names = member(config, "subreddits", list)
    if not 1 <= len(names) <= MOST_SUBREDDITS:
        raise Unreadable("config.subreddits", f"are not 1 to {MOST_SUBREDDITS}")
    if not all(isinstance(name, str) and SUBREDDIT.fullmatch(name) for name in names):
        raise Unreadable("config.subreddits", "has what is no subreddit's name")
    return {"subreddits": names}


def polled(config: Mapping[str, Any]) -> bool:
    """Always: Reddit sends nothing by itself."""
    del config
    return True


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
