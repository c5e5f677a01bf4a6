"""Submissions that the poller read from a subreddit, and comments on them.

What it puts on the queue is what the Reddit edge returns. A comment has the header
``x-reddit-type: comment``, and its submission in ``submission``.
"""

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
from soulcaster.rules.readings import Evidence, Reading, Withdrawn
from soulcaster.rules.source import Source
from soulcaster.rules.text import BODY_CHARS, clean

TYPE_HEADER = "x-reddit-type"
HEADERS = (TYPE_HEADER,)
LABEL = "Reddit"
SIGNING: Final = "none"
PROGRAM: Final = None
SORTS = ("new", "hot", "rising", "top")
MOST_SUBREDDITS = 20
MOST_KEYWORDS = 50
KEYWORD_CHARS = 100
SUBREDDIT = re.compile(r"[A-Za-z0-9_]{2,21}")
# What Reddit shows in place of a text that its author deleted, and of one a moderator removed.
_DELETED, _REMOVED = "[deleted]", "[removed]"
# It comments on nearly everything where moderators ask it to.
_BOTS = ("AutoModerator",)
_OFFICIAL = ("moderator", "admin")


def configure(config: Mapping[str, Any]) -> dict[str, Any]:
    """``subreddits``: 1 to 20 names, without ``r/``. ``sorts``: which listings are read ("new").
    ``keywords``: only submissions with one of these are taken, if there are any. ``comments``:
    whether comments are, too (true).
    """
    no_more_than(config, "subreddits", "sorts", "keywords", "comments")
    names = member(config, "subreddits", list)
    if not 1 <= len(names) <= MOST_SUBREDDITS:
        raise Unreadable("config.subreddits", f"are not 1 to {MOST_SUBREDDITS}")
    if not all(isinstance(name, str) and SUBREDDIT.fullmatch(name) for name in names):
        raise Unreadable("config.subreddits", "has what is no subreddit's name; give it without r/")
    comments = config.get("comments", True)
    if not isinstance(comments, bool):
        raise Unreadable("config.comments", "is neither true nor false")
    return {
        "subreddits": names,
        "sorts": _sorts(config),
        "keywords": _keywords(config),
        "comments": comments,
    }


def polled(config: Mapping[str, Any]) -> bool:
    """Always: Reddit sends nothing by itself."""
    del config
    return True


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> bool:
    """Never: Reddit sends no webhooks, so whoever posts one is not Reddit."""
    del headers, body, secrets, now
    return False


def has_keyword(config: Mapping[str, Any], submission: Mapping[str, Any]) -> bool:
    """Whether one of the source's keywords is in it, if the source has any; case is ignored."""
    said = f"{submission.get('title')}\n{submission.get('selftext')}".casefold()
    keywords = config.get("keywords") or ()
    return not keywords or any(word.casefold() in said for word in keywords)


def normalise(
    source: Source, headers: Mapping[str, str], payload: Any, received_at: int
) -> Reading | tuple[Reading, ...] | str:
    """A submission, or a comment with the submission that it is on."""
    if headers.get(TYPE_HEADER) != "comment":
        return _submission(source, payload, received_at)
    item = _submission(source, member(payload, "submission", dict), received_at)
    if not isinstance(item, Feedback):
        return item
    if payload.get("author") in _BOTS:
        return "what a bot says is not feedback"
    return item, _comment(item, payload, received_at)


def _submission(source: Source, payload: Any, received_at: int) -> Feedback | Withdrawn | str:
    text = optional(payload, "selftext", str) or ""
    author = _author(payload)
    item = _feedback(source, payload, text, author, received_at)
    if author is None and text == _DELETED:
        return Withdrawn(project=source.project, about=item.id, received_at=received_at)
    if text == _REMOVED:
        return "a submission that was removed is not feedback"
    return item


def _feedback(
    source: Source, payload: Any, text: str, author: str | None, received_at: int
) -> Feedback:
    title, body = title_and_body(member(payload, "title", str), text, "title")
    created = milliseconds(member(payload, "created_utc", (int, float)), "created_utc")
    return Feedback(
        project=source.project,
        source="reddit",
        source_id=source.id,
        channel="r/" + member(payload, "subreddit", str),
        external_id=f"t3_{member(payload, 'id', str)}",
        title=title,
        body=body,
        author=author,
        url=link(payload.get("permalink")) or link(payload.get("url")),
        severity=None,
        occurrences=1,
        created_at=created,
        received_at=received_at,
        version=_version(payload, created),
    )


def _comment(item: Feedback, payload: Any, received_at: int) -> Evidence:
    author = _author(payload)
    text = member(payload, "body", str)
    gone = text in (_DELETED, _REMOVED)
    created = milliseconds(member(payload, "created_utc", (int, float)), "created_utc")
    return Evidence(
        project=item.project,
        about=item.id,
        id=f"t1_{member(payload, 'id', str)}",
        author=author,
        body="" if gone else clean(text, BODY_CHARS),
        url=link(payload.get("permalink")),
        at=created,
        # Nothing else tells when it was deleted; it can't be edited after that.
        version=_version(payload, created) + gone,
        received_at=received_at,
        reports=author not in (None, item.author)
        and payload.get("is_submitter") is not True
        and payload.get("distinguished") not in _OFFICIAL,
        gone=gone,
    )


def _author(payload: Any) -> str | None:
    author: str | None = optional(payload, "author", str)
    return None if author == _DELETED else author


def _version(payload: Any, created: int) -> int:
    edited = payload.get("edited")  # false, or when
    return milliseconds(edited, "edited") if edited else created


def _sorts(config: Mapping[str, Any]) -> list[str]:
    sorts = optional(config, "sorts", list)
    if sorts is None:
        return ["new"]
    if not sorts or not all(sort in SORTS for sort in sorts):
        raise Unreadable("config.sorts", f"are not some of {', '.join(SORTS)}")
    return [sort for sort in SORTS if sort in sorts]


def _keywords(config: Mapping[str, Any]) -> list[str]:
    keywords = optional(config, "keywords", list) or []
    if len(keywords) > MOST_KEYWORDS:
        raise Unreadable("config.keywords", f"are more than {MOST_KEYWORDS}")
    for word in keywords:
        if not isinstance(word, str) or not word.strip() or len(word) > KEYWORD_CHARS:
            raise Unreadable("config.keywords", f"are not texts of 1 to {KEYWORD_CHARS} characters")
    return [word.strip() for word in keywords]
