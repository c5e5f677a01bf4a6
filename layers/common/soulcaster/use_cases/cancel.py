"""A person cancels a fix."""

import logging

from soulcaster.edges.job_store import JobStore, Moved
from soulcaster.edges.queues import Queue, QueueError
from soulcaster.rules.job import attempt_message
from soulcaster.use_cases.retry import call_next

log = logging.getLogger(__name__)


def cancel(job: str, who: str, *, jobs: JobStore, queue: Queue, now: int) -> Moved:
    """End a live job at once; ``refused`` when it has ended, ``opening`` when it is too late.

    Its task learns of it by its next heartbeat, and the dispatcher is told to stop it; either is
    enough. One round trip and one message; two when another job waited for the slot.
    """
    reason, fields = f"cancelled by {who}", {"cause": "person", "cancelled_by": who}
    moved = jobs.move(job, "*", "cancelled", now, reason, fields)
    if moved.outcome == "moved":
        try:
            queue.send(attempt_message(job, moved.attempt))
            call_next(moved, queue)
        except QueueError:
            # The task's heartbeat ends it, and the reaper calls who waits.
            log.exception("not told", extra={"job": job})
    return moved
