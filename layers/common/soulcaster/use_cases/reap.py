"""End or revive the jobs that nothing was heard of for too long."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.queues import Queue, QueueError
from soulcaster.edges.redis import RedisError
from soulcaster.edges.tasks import TaskError, Tasks
from soulcaster.rules.job import AT_WORK, PATIENCE, attempt_message
from soulcaster.use_cases.retry import call_next, retry_or_end

log = logging.getLogger(__name__)

AT_ONCE = 50
HOUR_MS = 60 * 60 * 1000
# In line for a slot a job may be for a day, in any other state it is stuck before.
WAITED_TOO_LONG_HOURS = {"queued": 24, "starting": 6, "publishing": 6}


@dataclass(frozen=True, slots=True)
class _Reaper:
    jobs: JobStore
    fix_queue: Queue
    publish_queue: Queue
    tasks: Tasks
    now: int

    def revive(self, job: Mapping[str, Any]) -> None:
        identifier, attempt, state = job["id"], int(job["attempt"]), job["state"]
        log.warning("overdue", extra={"job": identifier, "state": state, "attempt": attempt})
        # ``starting`` without a task: there was no capacity yet, or the task's name was lost.
        if state in ("queued", "publishing") or (state == "starting" and not job.get("task")):
            self._send_again(job)
            return
        if task := job.get("task"):
            try:
                self.tasks.stop(task, "its job was not heard of for too long")
            except TaskError:
                log.exception("not stopped", extra={"job": identifier, "task": task})
        if state in AT_WORK and self.now > int(job.get("deadline") or self.now):
            reason, fields = "the task ran past its deadline", {"cause": "deadline"}
            moved = self.jobs.move(identifier, attempt, "timed_out", self.now, reason, fields)
            call_next(moved, self.fix_queue)
            return
        reason = "its task never claimed it" if state == "starting" else "its task fell silent"
        retry_or_end(
            identifier, attempt, reason, jobs=self.jobs, queue=self.fix_queue, now=self.now
        )

    def _send_again(self, job: Mapping[str, Any]) -> None:
        identifier, attempt, state = job["id"], int(job["attempt"]), job["state"]
        hours = WAITED_TOO_LONG_HOURS[state]
        if self.now - int(job["updated"]) > hours * HOUR_MS:
            reason, fields = f"it was {state} for {hours} hours", {"cause": "stuck"}
            moved = self.jobs.move(identifier, attempt, "failed", self.now, reason, fields)
            call_next(moved, self.fix_queue)
            return
        queue = self.publish_queue if state == "publishing" else self.fix_queue
        queue.send(attempt_message(identifier, attempt))
        self.jobs.touch(identifier, attempt, (state,), self.now + PATIENCE[state])


def reap(*, jobs: JobStore, fix_queue: Queue, publish_queue: Queue, tasks: Tasks, now: int) -> int:
    """Look at every overdue job once; returns how many there were.

    A lost message is sent again, a lost task is stopped and its job tried again; jobs in line are
    called when there is a slot. What can't be helped now stays overdue, and the next run sees it.
    """
    overdue, told = jobs.due(now, AT_ONCE)
    fix_queue.send_all([attempt_message(*each) for each in told])
    reaper = _Reaper(jobs, fix_queue, publish_queue, tasks, now)
    failed: Exception | None = None
    for job in overdue:
        try:
            reaper.revive(job)
        except (QueueError, RedisError) as error:
            # The others are not to wait for this one, which stays overdue.
            log.exception("not revived", extra={"job": job["id"]})
            failed = error
    if failed:
        raise failed
    return len(overdue)
