"""Store a batch of deliveries from the queue."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import RedisError, Unreached
from soulcaster.rules import delivery
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.source import Source

if TYPE_CHECKING:
    from soulcaster.rules.feedback import Feedback

log = logging.getLogger(__name__)


def store_batch(
    messages: Sequence[tuple[str, str]], *, feedback: FeedbackStore, projects: ProjectStore
) -> list[str]:
    """Store what ``(message id, body)`` pairs hold; returns the ids to be delivered again.

    One round trip for each project, and one more when some delivery could not be verified
    on arrival. A forged delivery is dropped and logged; one that can't be read is returned
    until its queue gives it up to the dead letters, whole.
    """
    failed: list[str] = []
    arrived: list[tuple[str, Delivery]] = []
    for message_id, body in messages:
        try:
            arrived.append((message_id, Delivery.from_message(body)))
        except Unreadable as error:
            log.exception("unreadable message", extra={"delivery": message_id, "why": str(error)})
            failed.append(message_id)

    batches: dict[str, list[tuple[str, Feedback, str]]] = {}
    sources = _sources(arrived, projects, failed)
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
        else:
            batch = batches.setdefault(one.project, [])
            batch.append((message_id, found, one.packed_body))

    reached = True
    for project, batch in batches.items():
        ids = [message_id for message_id, _, _ in batch]
        if not reached:
            # Each further project would wait as long, and the function has a time limit.
            failed += ids
            continue
        try:
            new = feedback.store(project, [(fb, raw) for _, fb, raw in batch])
            log.info("stored", extra={"project": project, "items": len(batch), "new": new})
        except RedisError as error:
            log.exception("not stored", extra={"project": project, "items": len(batch)})
            reached = not isinstance(error, Unreached)
            failed += ids
    return failed


def _sources(
    arrived: Sequence[tuple[str, Delivery]], projects: ProjectStore, failed: list[str]
) -> dict[str, Source]:
    """The verified source of each message; looks up those not verified on arrival."""
    known = {message_id: one.source for message_id, one in arrived if one.source}
    unverified = [(message_id, one) for message_id, one in arrived if one.source is None]
    if not unverified:
        return known
    try:
        found = projects.sources([(one.project, one.source_id) for _, one in unverified])
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
