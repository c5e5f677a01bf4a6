"""What a task at work reports: that it is alive, that it proves its patch, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from soulcaster.edges.job_store import JobStore, Spent
from soulcaster.edges.queues import Queue
from soulcaster.rules.job import AT_WORK, CAUSES, State, Superseded, attempt_message, held
from soulcaster.use_cases.retry import call_next

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
_CAUSE: dict[State, str] = {
    "no_change": "no_change",
    "failed": "engine",
    "timed_out": "deadline",
    "refused": "not_confined",
    "over_budget": "budget",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How an attempt ended; the digests pin what was uploaded: nothing else is published."""

    outcome: str
    cause: str
    reason: str
    summary: str
    patch_sha256: str
    proof_sha256: str
    verdict: str
    spent: Spent
    exact: bool


def heartbeat(
    token: str,
    spent: Spent,
    wanted: int,
    log: tuple[int, Sequence[str]],
    *,
    jobs: JobStore,
    key: str,
    now: int,
) -> tuple[int, int]:
    """Note that the attempt is alive, what it spent and wrote; see ``JobStore.beat``.

    Raises ``Forbidden``, ``Superseded`` and ``RedisError``.
    """
    job, attempt = held(key, "callback", token)
    found = jobs.beat(job, attempt, now, spent, wanted, log)
    if found is None:
        raise Superseded
    return found


def proving(token: str, spent: Spent, *, jobs: JobStore, key: str, now: int) -> None:
    """The engine has a patch, and the tests are run on it; may be said again.

    Raises ``Forbidden``, ``Superseded`` and ``RedisError``.
    """
    job, attempt = held(key, "callback", token)
    said = "the tests are run on the base and on the patch"
    moved = jobs.move(job, attempt, "proving", now, said, spent.fields())
    if moved.outcome != "moved" and (moved.outcome, moved.state) != ("refused", "proving"):
        raise Superseded


def finish(
    token: str,
    report: Report,
    *,
    jobs: JobStore,
    fix_queue: Queue,
    publish_queue: Queue,
    key: str,
    now: int,
) -> State:
    """Move the job on as its task reports; a patch goes to the publisher.

    A task whose answer was lost may say the same again while the job is where that brought it.
    Raises ``Forbidden``, ``Superseded``, ``QueueError`` and ``RedisError``.
    """
    job, attempt = held(key, "callback", token)
    to = _ENDS[report.outcome]
    fields = {
        "summary": report.summary[:4_000],
        "patch_sha256": report.patch_sha256[:64],
        "proof_sha256": report.proof_sha256[:64],
        "verdict": report.verdict[:20],
        "exact": str(int(report.exact)),
        **report.spent.fields(),
    }
    if to != "publishing":
        fields["cause"] = report.cause if report.cause in CAUSES else _CAUSE[to]
    said = report.reason or _SAYS[to]
    # A patch that was handed over is the publisher's: its task can't take it back.
    moved = jobs.move(job, attempt, to, now, said, fields, only_from=AT_WORK)
    if moved.outcome != "moved" and (moved.outcome, moved.state) != ("refused", to):
        raise Superseded
    if to == "publishing":
        publish_queue.send(attempt_message(job, attempt))
    call_next(moved, fix_queue)
    return to
