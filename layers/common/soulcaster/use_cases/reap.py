"""End or revive the jobs that nothing was heard of for too long."""

import logging
from collections.abc import Mapping
from typing import Any

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.queues import Queue
from soulcaster.edges.tasks import TaskError, Tasks
from soulcaster.rules.job import attempt_message
from soulcaster.use_cases.retry import retry_or_end

log = logging.getLogger(__name__)

AT_ONCE = 50
WAITED_TOO_LONG_MS = 6 * 60 * 60 * 1000


def reap(*, jobs: JobStore, fix_queue: Queue, publish_queue: Queue, tasks: Tasks, now: int) -> int:
    """Look at every overdue job once; returns how many there were.

    A lost message is sent again, a lost task is stopped and its job tried again. One that
    can't be helped now stays overdue, and the next run sees it.
    """
    overdue = jobs.due(now, AT_ONCE)
    for job in overdue:
        _revive(job, jobs, fix_queue, publish_queue, tasks, now)
    return len(overdue)


def _revive(
    job: Mapping[str, Any],
    jobs: JobStore,
    fix_queue: Queue,
    publish_queue: Queue,
    tasks: Tasks,
    now: int,
) -> None:
    identifier, attempt, state = job["id"], int(job["attempt"]), job["state"]
    log.warning("overdue", extra={"job": identifier, "state": state, "attempt": attempt})
    # ``starting`` without a task: there was no capacity yet, or the task's name was lost.
    if state in ("queued", "publishing") or (state == "starting" and not job.get("task")):
        if now - int(job["updated"]) > WAITED_TOO_LONG_MS:
            jobs.move(identifier, attempt, "failed", now, f"it was {state} for six hours")
            return
        queue = publish_queue if state == "publishing" else fix_queue
        queue.send(attempt_message(identifier, attempt))
        jobs.touch(identifier, attempt, state, now)
        return
    if task := job.get("task"):
        try:
            tasks.stop(task, "its job was not heard of for too long")
        except TaskError:
            log.exception("not stopped", extra={"job": identifier, "task": task})
    late = state == "running" and now > int(job.get("deadline") or now)
    if late:
        jobs.move(identifier, attempt, "timed_out", now, "the task ran past its deadline")
        return
    reason = "its task never claimed it" if state == "starting" else "its task fell silent"
    retry_or_end(identifier, attempt, "failed", reason, jobs=jobs, queue=fix_queue, now=now)
