"""Feedback in Redis."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from soulcaster.edges.redis import Redis
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.grouping.fingerprint import fingerprint
from soulcaster.rules.page import Page, encode_cursor
from soulcaster.rules.text_kind import kind_of
from soulcaster.rules.words import indexed

# ``head`` is the item with its body cut: what a list shows must fit in an answer of Lambda's 6 MB.
FIELDS = ("id", "head", "open", "occurrences", "cluster", "received", "created", "why")
_WHOLE = ("id", "doc", *FIELDS[2:])
HEAD_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Text:
    """What an item says, as it is embedded."""

    id: str
    text: str
    text_hash: str


@dataclass(frozen=True, slots=True)
class Texts:
    """Some of a project's; ``next`` is '' on the last page."""

    items: list[Text]
    changed: list[Text]
    next: str


class FeedbackStore:
    """Stores and lists feedback; every method is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def store(self, project: str, items: Sequence[tuple[Feedback, str]]) -> int:
        """Store feedback of one project with its raw payloads; returns how many are new.

        Idempotent, and independent of the order in which deliveries arrive. Raises
        ``RedisError``, also when there is no such project.
        """
        return int(
            self._redis.run(
                "store_batch", project, json.dumps([_stored(fb, raw) for fb, raw in items])
            )
        )

    def page(self, project: str, position: str, limit: int) -> Page[dict[str, Any]] | None:
        """Newest first, after ``position`` ('' for the top); None without such a project."""
        found = self._redis.run("page", project, "fbs", "fb:", position, limit, *FIELDS)
        if not found:
            return None
        records, after, total = found
        items = [feedback_view(record) for record in records]
        return Page(items, encode_cursor(after) if after else None, int(total))

    def texts(
        self, project: str, position: str, limit: int, read: Mapping[str, str]
    ) -> Texts | None:
        """What is to be in the vector index, newest first; None without such a project.

        Of the next ``limit`` items after ``position`` ('' for the top) those that are in a cluster
        and ride on no other. ``read``: the hashes of texts read earlier; those that have changed
        since then are ``changed``.
        """
        found = self._redis.run(
            "texts_page", project, position, limit, json.dumps(list(read.items()))
        )
        if not found:
            return None
        items, changed, after = found
        return Texts([Text(*one) for one in items], [Text(*one) for one in changed], after)

    def read(self, project: str, identifier: str) -> dict[str, Any] | None:
        """One item, or None."""
        found = self._redis.run("feedback_read", project, identifier, *_WHOLE)
        return feedback_view(found) if found[0] else None


def _stored(fb: Feedback, raw: str) -> dict[str, Any]:
    head = replace(fb, body=fb.body[:HEAD_CHARS])
    # When it arrived differs from delivery to delivery, and decides nothing.
    content = replace(fb, received_at=0).document
    kind = kind_of(fb.source, fb.channel, fb.text)
    return {
        "id": fb.id,
        "doc": fb.document,
        "head": head.document,
        "title": fb.title,
        "text": fb.text,
        "raw": raw,
        "text_hash": fb.text_hash,
        "rank": str(fb.rank),
        "version": str(fb.version),
        "hash": sha256(content.encode()).hexdigest(),
        "open": "1" if fb.open else "0",
        "open_at": str(fb.version if fb.open_at is None else fb.open_at),
        "occurrences": str(fb.occurrences),
        "occurrence_id": fb.occurrence_id or "",
        "created": str(fb.created_at),
        "received": str(fb.received_at),
        "source": fb.source,
        "kind": kind,
        "author": _reporter(fb),
        "severity": fb.severity or "",
        "words": indexed(fb.title, fb.text),
        "fp": fingerprint(kind, fb.title, fb.text),
    }


def _reporter(fb: Feedback) -> str:
    """Who counts once however often they report; '' when that is not known.

    One name in two systems may be two people, so it counts for its kind of source only. Letter case
    tells nobody apart, on GitHub, on Reddit or in an email address.
    """
    return f"{fb.source}:{fb.author.casefold()}" if fb.author else ""


def feedback_view(values: Sequence[Any]) -> dict[str, Any]:
    """A stored item as the API shows it, from the values of ``FIELDS`` or ``_WHOLE``."""
    identifier, doc, is_open, occurrences, cluster, received, created, why = values
    stored = json.loads(doc)
    return {
        "id": identifier,
        **{k: stored[k] for k in ("project", "source", "source_id", "channel", "external_id")},
        **{k: stored[k] for k in ("title", "body", "author", "url", "severity", "details")},
        "open": is_open == "1",
        "occurrences": int(occurrences),
        "cluster": cluster,
        "created_at": int(created),
        "received_at": int(received),
        "why": json.loads(why) if why else None,
    }
