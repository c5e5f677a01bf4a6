"""What a running task reports: that it is alive, and how it ended."""

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.queues import Queue
from soulcaster.rules.job import State, parse_credential
from soulcaster.use_cases.ask_fix import attempt_message
from soulcaster.use_cases.claim import Forbidden, Superseded

_ENDS: dict[str, State] = {
    "patch": "publishing",
    "no_change": "no_change",
    "failed": "failed",
    "timed_out": "timed_out",
}
OUTCOMES = frozenset(_ENDS)
_SAYS: dict[State, str] = {
    "publishing": "the agent has a patch",
    "no_change": "the agent changed nothing",
    "failed": "the agent failed",
    "timed_out": "the agent ran out of time",
}


def heartbeat(token: str, *, jobs: JobStore, key: str, now: int) -> None:
    """Note that the attempt is alive; raises ``Forbidden`` or ``Superseded``."""
    job, attempt = _held(token, key)
    if not jobs.touch(job, attempt, "running", now):
        raise Superseded


def finish(
    token: str,
    outcome: str,
    reason: str,
    summary: str,
    *,
    jobs: JobStore,
    publish_queue: Queue,
    key: str,
    now: int,
) -> State:
    """Move the job on as its task reports; a patch goes to the publisher.

    Saying the same again has no further effect, so a task whose answer was lost may. Raises
    ``Forbidden``, ``Superseded``, ``QueueError`` and ``RedisError``.
    """
    job, attempt = _held(token, key)
    to = _ENDS[outcome]
    moved = jobs.move(job, attempt, to, now, reason or _SAYS[to], {"summary": summary[:4_000]})
    if moved.outcome != "moved" and (moved.outcome, moved.state) != ("refused", to):
        raise Superseded
    if to == "publishing":
        publish_queue.send(attempt_message(job, attempt))
    return to


def _held(token: str, key: str) -> tuple[str, int]:
    held = parse_credential(key, "callback", token)
    if held is None:
        raise Forbidden
    return held
