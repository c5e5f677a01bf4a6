"""A person asks for a fix of a cluster."""

import logging
from dataclasses import dataclass
from typing import Any

from soulcaster.edges.job_store import Asked as Answer
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.queues import Queue, QueueError
from soulcaster.rules.day import until_tomorrow
from soulcaster.rules.job import attempt_message

log = logging.getLogger(__name__)


class NothingToFix(Exception):  # noqa: N818 - an answer
    """The cluster can't be fixed as things are; the message says what to do."""


class TooMuch(Exception):  # noqa: N818 - an answer
    """A limit of the project's for today is reached; ``seconds`` until there is a new day."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """The job that now works on the cluster; ``joined`` when it did so already."""

    job: dict[str, Any]
    joined: bool


def ask_fix(
    cluster: str,
    asked_by: str,
    *,
    again: bool = False,
    without_plan: bool = False,
    jobs: JobStore,
    queue: Queue,
    now: int,
) -> Asked | None:
    """Make a job for ``cluster`` and queue its first attempt; None when there is no cluster.

    ``again``: even if the pull request of an earlier fix is open. One round trip and one message.
    When the queue fails the job is there all the same, and the reaper sends its message. Raises
    ``NothingToFix``, ``TooMuch`` and ``RedisError``.
    """
    answer = jobs.ask(cluster, now, asked_by, again=again, without_plan=without_plan)
    if answer.outcome == "missing":
        return None
    if answer.outcome in ("too_many", "too_dear"):
        what = "jobs" if answer.outcome == "too_many" else "dollars"
        raise TooMuch(f"{what}_per_day: the project's limit is reached", until_tomorrow(now))
    if answer.outcome not in ("created", "joined"):
        raise NothingToFix(_why_not(answer))
    if answer.outcome == "created":
        try:
            queue.send(attempt_message(answer.id, answer.attempt))
        except QueueError:
            log.exception("the reaper will send it", extra={"job": answer.id})
    job = {"id": answer.id, "state": answer.said, "attempt": answer.attempt}
    return Asked(job, answer.outcome == "joined")


def _why_not(answer: Answer) -> str:
    match answer.outcome:
        case "no_repository":
            return "repository: the project has none; set one first"
        case "merged":
            return f"cluster: it was merged into {answer.id}; ask for that one"
        case "empty":
            return "cluster: all that was reported in it is gone"
        case "has_pull":
            return (
                f"again: the pull request of {answer.id} is open ({answer.said}); close or merge "
                "it, or ask with again"
            )
        case "plan_required":
            return "plan: this project wants an approved one; make one and approve it first"
        case _:
            return "plan: there is one that nobody approved; approve it, or ask without_plan"
