"""Try a job again, end it, or let the next one in."""

import random

from soulcaster.edges.job_store import JobStore, Moved
from soulcaster.edges.queues import Queue
from soulcaster.rules.job import HOLDS_SLOT, MAX_ATTEMPTS, attempt_message, pause


def retry_or_end(
    job: str, attempt: int, reason: str, *, jobs: JobStore, queue: Queue, now: int
) -> str:
    """Queue the next attempt of a job whose ``attempt`` was lost; after the last, end it.

    Returns the state the job is in. Safe to run again: a job that has moved on stays. A task that
    has handed over a patch meanwhile was not lost.
    """
    if attempt >= MAX_ATTEMPTS:
        said, fields = f"{reason.rstrip('.')}; it was the last attempt", {"cause": "task_lost"}
        moved = jobs.move(job, attempt, "failed", now, said, fields, only_from=HOLDS_SLOT)
        call_next(moved, queue)
        return moved.state
    seconds = pause(attempt, random.random())  # noqa: S311 - jitter
    moved = jobs.move(
        job, attempt, "queued", now, f"{reason.rstrip('.')}; trying again", pause=seconds
    )
    if moved.outcome == "moved":
        # If this is lost the reaper finds a queued job without a message, and sends it.
        queue.send(attempt_message(job, moved.attempt), seconds)
    call_next(moved, queue)
    return moved.state


def call_next(moved: Moved, queue: Queue) -> None:
    """Send the message of the job that waited for the slot that ``moved`` has left, if any.

    If this is lost the reaper sends it.
    """
    if moved.next:
        queue.send(attempt_message(*moved.next))
