"""Feedback in Redis, with what was said about it and what became of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from soulcaster.edges.redis import Redis, record
from soulcaster.rules.day import day_of
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.grouping.fingerprint import fingerprint
from soulcaster.rules.page import Page, page_from
from soulcaster.rules.readings import About, Evidence, Moved, Settled, Withdrawn
from soulcaster.rules.text_kind import kind_of
from soulcaster.rules.words import indexed

# ``head`` is the item with its body cut: what a list shows must fit in an answer of Lambda's 6 MB.
FIELDS = ("id", "head", "open", "occurrences", "cluster", "received", "created", "why", "evidence")
_WHOLE = ("id", "doc", *FIELDS[2:])
HEAD_CHARS = 2_000
EVIDENCE_CHARS = 2_000


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

    def store(self, project: str, readings: Sequence[tuple[Feedback | About, str]]) -> int:
        """Store readings of one project with their raw payloads; returns how many items are new.

        Idempotent, and independent of the order in which deliveries arrive, but for two ``Moved``
        that contradict each other. What is about an item that has not come waits for 30 days. Of
        evidence the first 2,000 characters are kept, and of an item the 200 pieces that were said
        first. Raises ``RedisError``, also when there is no such project.
        """
        rows = [_row(reading, raw) for reading, raw in readings]
        return int(self._redis.run("store_batch", project, json.dumps(rows)))

    def delete(self, project: str, identifier: str, now: int) -> bool:
        """Remove an item for good, as if it was withdrawn; False when there is no such item."""
        return bool(self._redis.run("feedback_delete", project, identifier, now))

    def page(self, project: str, position: str, limit: int) -> Page[dict[str, Any]] | None:
        """Newest first, after ``position`` ('' for the top); None without such a project."""
        found = self._redis.run("page", project, "fbs", "fb:", position, limit, *FIELDS)
        return page_from(found, feedback_view)

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
        """One item with its ``evidence``, the oldest first; or None."""
        values, said = self._redis.run("feedback_read", project, identifier, *_WHOLE)
        if not values[0]:
            return None
        return {**feedback_view(values), "evidence": _evidence_view(record(said))}


def _row(reading: Feedback | About, raw: str) -> dict[str, Any]:
    """A reading as the script takes it."""
    row = {"received": str(reading.received_at)}
    match reading:
        case Feedback():
            return row | {"is": "feedback", **_stored(reading, raw)}
        case Evidence():
            reports = "1" if reading.reports and not reading.gone else "0"
            said = {"is": "evidence", "name": reading.id, "said": _said(reading)}
            return row | {**said, "id": reading.about, "reports": reports}
        case Settled():
            return row | {"is": "settled", "id": reading.about, "at": str(reading.at)}
        case Withdrawn():
            return row | {"is": "withdrawn", "id": reading.about}
        case Moved():
            return row | {"is": "moved", "id": reading.about, "to": reading.to}


def _said(one: Evidence) -> str:
    """What is kept of evidence; of what was deleted, only that it was. Equal content, equal text.

    ``who`` tells its author apart from others, as ``_reporter`` does.
    """
    there = not one.gone
    kept = {
        "version": one.version,
        "at": one.at,
        "gone": one.gone,
        "reports": one.reports and there,
        "author": one.author if there else None,
        "who": (one.author or "").casefold() if there else "",
        "body": one.body[:EVIDENCE_CHARS] if there else "",
        "url": one.url if there else None,
    }
    return json.dumps(kept, sort_keys=True)


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
        "day": day_of(fb.received_at),
        "source": fb.source,
        "source_id": fb.source_id,
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
    identifier, doc, is_open, occurrences, cluster, received, created, why, said = values
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
        "evidence_count": int(said or 0),
    }


def _evidence_view(stored: Mapping[str, str]) -> list[dict[str, Any]]:
    """Evidence as the API shows it, the oldest first, from what is stored by id."""
    said = [{"id": name, **json.loads(kept)} for name, kept in stored.items()]
    there = sorted((one for one in said if not one["gone"]), key=lambda one: (one["at"], one["id"]))
    shown = ("id", "author", "body", "url", "at", "reports")
    return [{name: one[name] for name in shown} for one in there]
