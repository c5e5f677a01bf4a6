"""Store the rows of a file that somebody has uploaded, as far as there is time and room."""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from soulcaster.edges.bucket import Bucket, BucketError, Stream
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.import_store import Done, ImportStore, Opened, Refused, Step
from soulcaster.edges.queues import Queue
from soulcaster.edges.redis import RedisError
from soulcaster.rules import delivery
from soulcaster.rules.day import until_tomorrow
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.imports import (
    CHUNK_CHARS,
    CHUNK_ROWS,
    MAX_BYTES,
    import_message,
    object_key,
)
from soulcaster.rules.job import LONGEST_PAUSE_SECONDS
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.quota import PENDING_RETRY_SECONDS
from soulcaster.rules.rows import Row, Unusable, rows
from soulcaster.rules.text import clean

log = logging.getLogger(__name__)

SHOWN_CHARS = 200  # of a row that was refused
# When to go on after a store that did not answer. A message that failed waits for half an hour.
AGAIN_SECONDS = 60


class _CutOff(Exception):  # noqa: N818 - a state of the import
    """A store did not answer, after rows were accounted for."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A row, and the feedback in it with its raw payload; or why there is none."""

    row: Row
    feedback: Feedback | None
    raw: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """What an import works with; ``time_left`` tells whether there is time for another chunk."""

    imports: ImportStore
    feedback: FeedbackStore
    bucket: Bucket
    queue: Queue
    now: Callable[[], int]
    time_left: Callable[[], bool]


def import_file(identifier: str, turn: int, edges: Edges) -> None:
    """Go on with an import; what is left when time or room is short comes with a later message.

    Two round trips for each chunk of rows. Wherever it is cut off, to do it again ends the same:
    a row's id follows from what it says, and rows are accounted for once. A file that can't be
    used ends the import. Raises ``RedisError`` and ``BucketError`` where nothing was achieved, and
    ``QueueError``.
    """
    opened = edges.imports.open(identifier, turn)
    if opened is None:
        log.info("nothing to import", extra={"import": identifier, "turn": turn})
        return
    try:
        step = _go_on(opened, edges)
    except _CutOff:
        log.exception("cut off", extra={"import": identifier})
        edges.queue.send(import_message(identifier, turn + 1), AGAIN_SECONDS)
        return
    except Unusable as error:
        log.info("not imported", extra={"import": identifier, "why": str(error)})
        edges.imports.fail(identifier, str(error), edges.now())
        return
    log.info("imported", extra={"import": identifier, "outcome": step.outcome})
    if step.outcome == "paused":
        tomorrow = min(LONGEST_PAUSE_SECONDS, until_tomorrow(edges.now()))
        pause = tomorrow if step.quota == "day" else PENDING_RETRY_SECONDS
        edges.queue.send(import_message(identifier, turn + 1), pause)
    elif step.outcome == "go":
        edges.queue.send(import_message(identifier, turn + 1))


def _go_on(opened: Opened, edges: Edges) -> Step:
    """Store chunk after chunk; the step after which it stopped: at ``go`` time was short."""
    if not opened.source.enabled:
        raise Unusable("the source that files come by is switched off")
    found = edges.bucket.stream(object_key(opened.id))
    if found is None:
        raise Unusable("no file was uploaded")
    if found.size > MAX_BYTES:
        raise Unusable(f"the file has {found.size:,} bytes; it may have {MAX_BYTES:,}")
    if opened.etag not in ("", found.etag):
        raise Unusable("the file was replaced while it was imported")
    return _chunks(opened, found, edges)


def _chunks(opened: Opened, found: Stream, edges: Edges) -> Step:
    items = (_item(row, opened) for row in rows(found.pieces, opened.form, opened.rows))
    coming, place = deque[_Item](), opened.rows
    done: Done | None = None
    accounted = False
    try:
        while True:
            _fill(coming, items)
            step = edges.imports.step(
                opened.id,
                done,
                [item.feedback.id if item.feedback else "" for item in coming],
                size=found.size,
                etag=found.etag,
                now=edges.now(),
            )
            accounted = done is not None
            if step.outcome != "go" or (done and not edges.time_left()):
                return step
            chunk = [coming.popleft() for _ in range(step.rows)]
            done = Done(place, step.rows, _store(chunk, step.deleted, opened.project, edges))
            place += step.rows
    except (RedisError, BucketError) as error:
        if accounted:
            raise _CutOff from error
        raise


def _fill(coming: deque[_Item], items: Iterator[_Item]) -> None:
    """Have as many rows wait as are stored in one go; which these are follows from the first."""
    size = sum(len(item.row.text) for item in coming)
    while len(coming) < CHUNK_ROWS and size < CHUNK_CHARS:
        item = next(items, None)
        if item is None:
            return
        coming.append(item)
        size += len(item.row.text)


def _item(row: Row, opened: Opened) -> _Item:
    if row.refused:
        return _Item(row, None, refused=row.refused)
    arrived = Delivery(
        project=opened.project,
        source_id=opened.source.id,
        source=opened.source,
        headers={},
        body=json.dumps(row.data, ensure_ascii=False).encode("utf-8", "replace"),
        # What a row says without a date of its own must not depend on when it is read.
        received_at=opened.created,
    )
    try:
        found = delivery.read(arrived, opened.source)
    except Unreadable as error:
        return _Item(row, None, refused=str(error))
    if isinstance(found, str):
        return _Item(row, None, refused=found)
    (item,) = (each for each in found if isinstance(each, Feedback))
    return _Item(row, item, arrived.packed_body)


def _store(
    chunk: Sequence[_Item], deleted: frozenset[str], project: str, edges: Edges
) -> list[Refused]:
    """Store a chunk's feedback; returns those of its rows that are not stored."""
    kept, refused, now = list[tuple[Feedback, str]](), list[Refused](), edges.now()
    for item in chunk:
        if item.feedback and item.feedback.id not in deleted:
            kept.append((replace(item.feedback, received_at=now), item.raw))
            continue
        reason = item.refused or "it was deleted here, and stays so"
        refused.append(Refused(item.row.line, reason, clean(item.row.text, SHOWN_CHARS)))
    if kept:
        edges.feedback.store(project, kept)
    return refused
