"""A person asks for a fix of a cluster."""

import json
from dataclasses import dataclass
from typing import Any

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.queues import Queue


class NothingToFix(Exception):  # noqa: N818 - an answer
    """The project has no repository that a fix could go to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The job that now works on the cluster; ``joined`` when it did so already."""

    job: dict[str, Any]
    joined: bool


def ask_fix(cluster: str, asked_by: str, *, jobs: JobStore, queue: Queue, now: int) -> Asked | None:
    """Make a job for ``cluster`` and queue its first attempt; None when there is no cluster.

    One round trip and one message. When the queue fails the job stays ``queued``, and the
    reaper sends its message; so the caller need not ask again. Raises ``NothingToFix``.
    """
    answer = jobs.ask(cluster, now, asked_by)
    if answer is None:
        return None
    outcome, job = answer
    if outcome == "no_repository":
        raise NothingToFix("repository: the project has none; set one first")
    if outcome == "created":
        queue.send(attempt_message(job["id"], job["attempt"]))
    return Asked(job, outcome == "joined")


def attempt_message(job: str, attempt: int) -> str:
    """The queue message for one attempt of a job, for the fix and the publish queue."""
    return json.dumps({"job": job, "attempt": attempt})


def parse_attempt(body: str) -> tuple[str, int]:
    """What ``attempt_message`` wrote; raises ``ValueError`` for anything else."""
    try:
        message = json.loads(body)
        return str(message["job"]), int(message["attempt"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the message of an attempt: {error!r}") from error
