"""Start the task of a job's attempt."""

import logging
import random

from soulcaster.edges.job_store import JobStore, Moved
from soulcaster.edges.queues import Queue
from soulcaster.edges.tasks import TaskEnded, TaskError, TaskRefused, Tasks
from soulcaster.rules.job import (
    HOLDS_SLOT,
    MAX_TRIES,
    PATIENCE,
    Cause,
    attempt_message,
    credential,
    pause,
)
from soulcaster.use_cases.retry import call_next, retry_or_end

log = logging.getLogger(__name__)


def dispatch(
    job: str,
    attempt: int,
    *,
    jobs: JobStore,
    tasks: Tasks,
    queue: Queue,
    key: str,
    api_url: str,
    now: int,
) -> str | None:
    """Start the task; returns its ARN, or None when there is none to start now.

    None: the attempt is no longer wanted, waits for a slot, or ECS had no room; then the message
    is on the ``queue`` again, later each time. Starts nothing twice, because the task is named
    after the attempt and its ticket is derived from it. The message of a job that was cancelled
    stops its task. Raises ``QueueError``, ``RedisError`` and ``TaskError`` (of a stop): the message
    comes again.
    """
    moved = jobs.move(job, attempt, "starting", now, "a task is being started")
    if moved.outcome == "refused" and moved.state == "cancelled" and moved.task:
        tasks.stop(moved.task, "its job was cancelled")
        return None
    # Delivered again, after a failure or before the task's name could be noted.
    again = moved.outcome == "refused" and moved.state in HOLDS_SLOT
    if moved.outcome != "moved" and not again:
        log.info("attempt not started", extra={"job": job, "attempt": attempt, "was": moved.state})
        return None
    environment = {
        "SOULCASTER_API_URL": api_url,
        "SOULCASTER_TICKET": credential(key, "ticket", job, attempt),
    }
    try:
        task = tasks.start(f"{job.rpartition('_')[2]}-{attempt}", f"{job}/{attempt}", environment)
    except TaskEnded:
        retry_or_end(job, attempt, "its task has ended", jobs=jobs, queue=queue, now=now)
        return None
    except TaskRefused as error:
        log.exception("refused", extra={"job": job})
        reason = f"its task could not be started: {error}"
        _give_up(job, attempt, reason, "not_started", jobs, queue, now)
        return None
    except TaskError as error:
        log.warning("no task yet", extra={"job": job, "attempt": attempt, "why": str(error)})
        _later(job, attempt, moved, str(error), jobs, queue, now)
        return None
    # The task may have claimed its job already.
    if not jobs.touch(job, attempt, HOLDS_SLOT, fields={"task": task}):
        # Cancelled or superseded while it was being started: nobody else knows of it.
        tasks.stop(task, "its job does not want it any more")
    return task


def _later(
    job: str, attempt: int, moved: Moved, why: str, jobs: JobStore, queue: Queue, now: int
) -> None:
    """Ask ECS again in a while, or give up. The slot stays taken: there may be a task after all."""
    tries = moved.tries + 1
    if tries >= MAX_TRIES:
        reason = f"no task could be started in {tries} tries: {why}"
        _give_up(job, attempt, reason, "no_capacity", jobs, queue, now)
        return
    seconds = pause(tries, random.random())  # noqa: S311 - jitter
    due = now + seconds * 1000 + PATIENCE["starting"]
    if jobs.touch(job, attempt, ("starting",), due, {"tries": str(tries)}):
        queue.send(attempt_message(job, attempt), seconds)


def _give_up(
    job: str, attempt: int, reason: str, cause: Cause, jobs: JobStore, queue: Queue, now: int
) -> None:
    """End the job, unless a task of an earlier delivery is at work on it."""
    fields = {"cause": cause}
    moved = jobs.move(job, attempt, "failed", now, reason, fields, only_from=("starting",))
    call_next(moved, queue)
