"""Start the task of a job's attempt."""

import logging

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.tasks import Tasks
from soulcaster.rules.job import credential

log = logging.getLogger(__name__)


def dispatch(
    job: str, attempt: int, *, jobs: JobStore, tasks: Tasks, key: str, api_url: str, now: int
) -> str | None:
    """Start the task; returns its ARN, or None when the attempt is no longer wanted.

    Raises ``TaskError`` and ``RedisError``: the message comes again, and starts nothing
    twice, because the task is named after the attempt and its ticket is derived from it.
    """
    moved = jobs.move(job, attempt, "starting", now, "a task is being started")
    # Delivered again, after a failure or before the task's name could be noted.
    again = moved.outcome == "refused" and moved.state in ("starting", "running")
    if moved.outcome != "moved" and not again:
        log.info("attempt not wanted", extra={"job": job, "attempt": attempt, "was": moved.state})
        return None
    task = tasks.start(
        f"{job.rpartition('_')[2]}-{attempt}",
        f"{job}/{attempt}",
        {
            "SOULCASTER_API_URL": api_url,
            "SOULCASTER_TICKET": credential(key, "ticket", job, attempt),
        },
    )
    # The task may have claimed its job already; then its ARN is noted there.
    if not jobs.touch(job, attempt, "starting", now, {"task": task}):
        jobs.touch(job, attempt, "running", now, {"task": task})
    return task
