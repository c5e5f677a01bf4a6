"""Store a batch of deliveries: feedback, what is said about it, and news of our pull requests."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.pull_store import PullStore
from soulcaster.edges.redis import RedisError, Unreached
from soulcaster.edges.source_store import SourceStore
from soulcaster.rules import delivery
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.pull_news import CheckNews, News, PullNews
from soulcaster.rules.readings import About
from soulcaster.rules.source import Source

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """A project's deliveries, each with the id of its message."""

    readings: list[tuple[str, Feedback | About, str]] = field(default_factory=list)
    news: list[tuple[str, News]] = field(default_factory=list)


def store_batch(
    messages: Sequence[tuple[str, str]],
    *,
    feedback: FeedbackStore,
    sources: SourceStore,
    pulls: PullStore,
) -> list[str]:
    """Store what ``(message id, body)`` pairs hold; returns the ids to be delivered again.

    One round trip for a project's feedback with what is said about it, one for its news of pull
    requests, and one more when some delivery could not be verified on arrival. A forged delivery is
    dropped and logged; one that can't be read is returned until its queue gives it up to the dead
    letters, whole.
    """
    failed: list[str] = []
    arrived: list[tuple[str, Delivery]] = []
    for message_id, body in messages:
        try:
            arrived.append((message_id, Delivery.from_message(body)))
        except Unreadable as error:
            log.exception("unreadable message", extra={"delivery": message_id, "why": str(error)})
            failed.append(message_id)

    reached = True
    batches = _batches(arrived, _sources(arrived, sources, failed), failed)
    for project, batch in batches.items():
        for ids, write in _writes(project, batch, feedback, pulls):
            if not reached:
                # Each further request would wait as long, and the function has a time limit.
                failed += ids
                continue
            try:
                write()
            except RedisError as error:
                log.exception("not stored", extra={"project": project, "items": len(ids)})
                reached = not isinstance(error, Unreached)
                failed += ids
    return failed


def _batches(
    arrived: Sequence[tuple[str, Delivery]], sources: Mapping[str, Source], failed: list[str]
) -> dict[str, _Batch]:
    """What the verified deliveries hold, by project; those that can't be read have ``failed``."""
    batches: dict[str, _Batch] = {}
    for message_id, one in arrived:
        source = sources.get(message_id)
        if source is None:
            continue
        try:
            found = delivery.read(one, source)
        except Unreadable as error:
            log.exception("unreadable delivery", extra={"delivery": message_id, "why": str(error)})
            failed.append(message_id)
            continue
        if isinstance(found, str):
            log.info("ignored", extra={"delivery": message_id, "why": found})
            continue
        batch = batches.setdefault(one.project, _Batch())
        for reading in found:
            if isinstance(reading, PullNews | CheckNews):
                batch.news.append((message_id, reading))
            else:
                batch.readings.append((message_id, reading, one.packed_body))
    return batches


def _writes(
    project: str, batch: _Batch, feedback: FeedbackStore, pulls: PullStore
) -> Iterator[tuple[list[str], Callable[[], None]]]:
    """What is to be written for a project: ids of messages, and what stores them."""

    def store() -> None:
        new = feedback.store(project, [(found, raw) for _, found, raw in batch.readings])
        log.info("stored", extra={"project": project, "items": len(batch.readings), "new": new})

    def tell() -> None:
        ours = pulls.tell(project, [found for _, found in batch.news])
        log.info("told", extra={"project": project, "items": len(batch.news), "ours": ours})

    if batch.readings:
        yield [message_id for message_id, _, _ in batch.readings], store
    if batch.news:
        yield [message_id for message_id, _ in batch.news], tell


def _sources(
    arrived: Sequence[tuple[str, Delivery]], sources: SourceStore, failed: list[str]
) -> dict[str, Source]:
    """The verified source of each message; looks up those not verified on arrival."""
    known = {message_id: one.source for message_id, one in arrived if one.source}
    unverified = [(message_id, one) for message_id, one in arrived if one.source is None]
    if not unverified:
        return known
    try:
        found = sources.sources([(one.project, one.source_id) for _, one in unverified])
    except RedisError:
        log.exception("not verified", extra={"items": len(unverified)})
        failed += [message_id for message_id, _ in unverified]
        return known
    for (message_id, one), source in zip(unverified, found, strict=True):
        if source is not None and delivery.verified(one, source):
            known[message_id] = source
        else:
            log.warning(
                "forged delivery dropped", extra={"delivery": message_id, "source": one.source_id}
            )
    return known
