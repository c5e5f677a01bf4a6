"""Feedback in Redis."""

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from soulcaster.edges.redis import Redis
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.page import Page, encode_cursor

# ``head`` is the item with its body cut: what a list shows must fit in an answer of Lambda's 6 MB.
_FIELDS = ("id", "head", "open", "occurrences", "cluster", "received", "created", "why")
_WHOLE = ("id", "doc", *_FIELDS[2:])
HEAD_CHARS = 2_000


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
        found = self._redis.run("page", project, "fbs", "fb:", position, limit, *_FIELDS)
        if not found:
            return None
        records, after, total = found
        items = [feedback_view(record) for record in records]
        return Page(items, encode_cursor(after) if after else None, int(total))

    def read(self, project: str, identifier: str) -> dict[str, Any] | None:
        """One item, or None."""
        found = self._redis.run("feedback_read", project, identifier, *_WHOLE)
        return feedback_view(found) if found[0] else None


def _stored(fb: Feedback, raw: str) -> dict[str, Any]:
    head = replace(fb, body=fb.body[:HEAD_CHARS])
    # When it arrived differs from delivery to delivery, and decides nothing.
    content = replace(fb, received_at=0).document
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
    }


def feedback_view(values: Sequence[Any]) -> dict[str, Any]:
    """A stored item as the API shows it, from the values of ``_FIELDS`` or ``_WHOLE``."""
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
