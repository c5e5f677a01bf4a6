"""Try a job again, or end it."""

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.queues import Queue
from soulcaster.rules.job import MAX_ATTEMPTS, State, attempt_message


def retry_or_end(
    job: str, attempt: int, end: State, reason: str, *, jobs: JobStore, queue: Queue, now: int
) -> str:
    """Queue the next attempt of a job whose ``attempt`` was lost; after the last, end it.

    Returns the state the job is in. Safe to run again: a job that has moved on stays.
    """
    if attempt >= MAX_ATTEMPTS:
        # Its task may have handed over a patch meanwhile; then it was not lost.
        return jobs.move(job, attempt, end, now, reason, only_from=("starting", "running")).state
    moved = jobs.move(job, attempt, "queued", now, f"{reason.rstrip('.')}; trying again")
    if moved.outcome == "moved":
        # If this is lost the reaper finds a queued job without a message, and sends it.
        queue.send(attempt_message(job, moved.attempt))
    return moved.state
