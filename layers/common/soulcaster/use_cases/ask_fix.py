"""A person asks for a fix of a cluster."""

import logging
from dataclasses import dataclass
from typing import Any

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.queues import Queue, QueueError
from soulcaster.rules.job import attempt_message

log = logging.getLogger(__name__)


class NothingToFix(Exception):  # noqa: N818 - an answer
    """The project has no repository that a fix could go to, or the cluster no items any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The job that now works on the cluster; ``joined`` when it did so already."""

    job: dict[str, Any]
    joined: bool


def ask_fix(cluster: str, asked_by: str, *, jobs: JobStore, queue: Queue, now: int) -> Asked | None:
    """Make a job for ``cluster`` and queue its first attempt; None when there is no cluster.

    One round trip and one message. When the queue fails the job is there all the same, and the
    reaper sends its message. Raises ``NothingToFix`` and ``RedisError``.
    """
    answer = jobs.ask(cluster, now, asked_by)
    if answer is None:
        return None
    outcome, job = answer
    if outcome == "no_repository":
        raise NothingToFix("repository: the project has none; set one first")
    if outcome == "merged":
        raise NothingToFix(f"cluster: it was merged into {job['id']}; ask for that one")
    if outcome == "created":
        try:
            queue.send(attempt_message(job["id"], job["attempt"]))
        except QueueError:
            log.exception("the reaper will send it", extra={"job": job["id"]})
    return Asked(job, outcome == "joined")
