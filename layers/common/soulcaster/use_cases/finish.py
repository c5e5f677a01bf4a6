"""What a running task reports: that it is alive, and how it ended."""

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.queues import Queue
from soulcaster.rules.job import State, Superseded, attempt_message, held

_ENDS: dict[str, State] = {
    "patch": "publishing",
    "no_change": "no_change",
    "failed": "failed",
    "timed_out": "timed_out",
    "refused": "refused",
    "over_budget": "over_budget",
}
OUTCOMES = frozenset(_ENDS)
_SAYS: dict[State, str] = {
    "publishing": "the agent has a patch",
    "no_change": "the agent changed nothing",
    "failed": "the agent failed",
    "timed_out": "the agent ran out of time",
    "refused": "the agent would not start",
    "over_budget": "the agent reached its budget",
}


def heartbeat(token: str, *, jobs: JobStore, key: str, now: int) -> None:
    """Note that the attempt is alive; raises ``Forbidden`` or ``Superseded``."""
    job, attempt = held(key, "callback", token)
    if not jobs.touch(job, attempt, "running", now):
        raise Superseded


def finish(
    token: str,
    outcome: str,
    reason: str,
    summary: str,
    patch_sha256: str,
    *,
    jobs: JobStore,
    publish_queue: Queue,
    key: str,
    now: int,
) -> State:
    """Move the job on as its task reports; a patch goes to the publisher.

    ``patch_sha256`` pins the patch that was uploaded: nothing else is published. A task whose
    answer was lost may say the same again while the job is where that brought it. Raises
    ``Forbidden``, ``Superseded``, ``QueueError`` and ``RedisError``.
    """
    job, attempt = held(key, "callback", token)
    to = _ENDS[outcome]
    fields = {"summary": summary[:4_000], "patch_sha256": patch_sha256[:64]}
    moved = jobs.move(job, attempt, to, now, reason or _SAYS[to], fields)
    if moved.outcome != "moved" and (moved.outcome, moved.state) != ("refused", to):
        raise Superseded
    if to == "publishing":
        publish_queue.send(attempt_message(job, attempt))
    return to
