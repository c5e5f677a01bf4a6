"""Feedback in Redis."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from soulcaster.edges.redis import Redis
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.page import Page, decode_cursor, encode_cursor

_FIELDS = ("id", "doc", "open", "occurrences", "cluster", "received", "created", "why")


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

    def page(self, project: str, cursor: str | None, limit: int) -> Page[dict[str, Any]]:
        """Newest first; raises ``ValueError`` for a cursor that is none."""
        records, after, total = self._redis.run(
            "page", project, "fbs", "fb:", decode_cursor(cursor), limit, *_FIELDS
        )
        items = [feedback_view(record) for record in records]
        return Page(items, encode_cursor(after) if after else None, int(total))

    def read(self, project: str, identifier: str) -> dict[str, Any] | None:
        """One item, or None."""
        found = self._redis.run("feedback_read", project, identifier, *_FIELDS)
        return feedback_view(found) if found[0] else None


def _stored(fb: Feedback, raw: str) -> dict[str, Any]:
    doc = fb.document
    # When it arrived differs from delivery to delivery, and decides nothing.
    content = sha256(doc.replace(f'"received_at": {fb.received_at}', "").encode()).hexdigest()
    return {
        "id": fb.id,
        "doc": doc,
        "title": fb.title,
        "raw": raw,
        "text_hash": fb.text_hash,
        "rank": str(fb.rank),
        "version": str(fb.version),
        "hash": content,
        "open": "1" if fb.open else "0",
        "occurrences": str(fb.occurrences),
        "occurrence_id": fb.occurrence_id or "",
        "created": str(fb.created_at),
        "received": str(fb.received_at),
        "source": fb.source,
    }


def feedback_view(values: Sequence[Any]) -> dict[str, Any]:
    """A stored item as the API shows it, from the fields of ``_FIELDS`` in order."""
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
