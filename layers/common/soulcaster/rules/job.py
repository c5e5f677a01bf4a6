"""The life of a fix job.

    queued → starting → running → proving → publishing → pr_open
        ↑________↓_________↓_________↓            and from any of them to another end

An attempt that is lost goes back to ``queued`` as the next one. Every transition is one script with
the attempt as its fence (``edges/lua/job_move.lua``): a writer of an earlier attempt, or of a
state that has passed, changes nothing. While a job is in a state of ``HOLDS_SLOT`` it counts
among those that run at once.
"""

import hashlib
import hmac
import json
from typing import Final, Literal, get_args

State = Literal[
    "queued",
    "starting",
    "running",
    "proving",
    "publishing",
    "pr_open",
    "no_change",
    "refused",
    "failed",
    "cancelled",
    "timed_out",
    "over_budget",
]

# Why a job is in its end, for programs; the reason says it to people.
Cause = Literal[
    "pr_open",
    "no_change",
    # refused: the patch itself, or a verdict that the project does not publish
    "patch",
    "proven",
    "tests_pass",
    "no_tests",
    "tests_fail",
    "not_confined",
    # failed
    "engine",
    "clone",
    "no_model",
    "upload",
    "task_lost",
    "no_capacity",
    "not_started",
    "github",
    "stuck",
    # cancelled, timed_out, over_budget
    "person",
    "deadline",
    "budget",
]
CAUSES: Final[frozenset[str]] = frozenset(get_args(Cause))

ENDS: Final[frozenset[State]] = frozenset(
    {"pr_open", "no_change", "refused", "failed", "cancelled", "timed_out", "over_budget"}
)
# A task may be alive.
HOLDS_SLOT: Final[tuple[State, ...]] = ("starting", "running", "proving")
AT_WORK: Final[tuple[State, ...]] = ("running", "proving")
LIVE: Final[tuple[State, ...]] = ("queued", *HOLDS_SLOT, "publishing")

# From which states each state may be entered.
ENTERED_FROM: Final[dict[State, tuple[State, ...]]] = {
    "queued": HOLDS_SLOT,  # the next attempt
    "starting": ("queued",),
    "running": ("starting",),
    "proving": ("running",),
    "publishing": ("proving",),
    "pr_open": ("publishing",),
    "no_change": ("running",),
    "refused": ("running", "proving", "publishing"),
    "failed": LIVE,
    "cancelled": LIVE,  # but for a pull request that is being opened
    "timed_out": AT_WORK,
    "over_budget": ("starting", "running"),
}

MAX_ATTEMPTS = 3
# How often a task is asked for before an attempt's job fails for want of capacity.
MAX_TRIES = 8
HEARTBEAT_SECONDS = 15
MICRO = 1_000_000  # micro-dollars in a dollar

# How long a job may stay as it is before the reaper looks at it, in ms.
PATIENCE: Final[dict[State, int]] = {
    "queued": 5 * 60_000,  # a message waits in the queue
    "starting": 5 * 60_000,  # Fargate pulls the image
    "running": 4 * HEARTBEAT_SECONDS * 1_000,  # missed heartbeats
    "proving": 4 * HEARTBEAT_SECONDS * 1_000,
    "publishing": 5 * 60_000,
}
# Waiting for a slot is nobody's fault; the reaper looks whether there is one in any case.
WAITING_MS = 60 * 60_000

FIRST_PAUSE_SECONDS = 15
LONGEST_PAUSE_SECONDS = 900  # what a queue can delay a message by


def pause(tries: int, chance: float) -> int:
    """Seconds to wait after the ``tries``-th failure: doubled each time, and jittered.

    ``chance`` is from [0, 1). Half of the pause is fixed and half is chance ("equal jitter";
    Brooker, "Exponential Backoff and Jitter", 2015), so that what failed together does not come
    back together.
    """
    most = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS << max(0, min(tries, 20) - 1))
    return round(most / 2 + chance * most / 2)


def proof_seconds(minutes: int) -> int:
    """How much of a job's minutes is kept for running tests on the base and on the patch."""
    return min(600, minutes * 60 // 3)


def _proof(key: str, purpose: str, job: str, attempt: int) -> str:
    signed = f"{purpose}\n{job}\n{attempt}".encode("utf-8", "replace")
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()[:40]


def credential(key: str, purpose: Literal["ticket", "callback"], job: str, attempt: int) -> str:
    """What the task shows: a ticket to claim its job once, then the callback credential.

    It is derived, not stored, so starting the same attempt twice gives the same ticket, and
    a ticket that somebody reads in the task's description is worth nothing after the claim.
    """
    return f"{job}.{attempt}.{_proof(key, purpose, job, attempt)}"


def parse_credential(
    key: str, purpose: Literal["ticket", "callback"], text: str
) -> tuple[str, int] | None:
    """Job and attempt of a credential that ``credential`` made; None for any other text."""
    job, _, rest = text.partition(".")
    attempt, _, proof = rest.partition(".")
    if not (attempt.isascii() and attempt.isdecimal() and len(attempt) < 6):
        return None
    expected = _proof(key, purpose, job, int(attempt))
    matches = hmac.compare_digest(proof.encode("utf-8", "replace"), expected.encode())
    return (job, int(attempt)) if matches else None


class Forbidden(Exception):  # noqa: N818 - an answer
    """The credential is none of ours."""


class Superseded(Exception):  # noqa: N818 - an answer
    """The attempt was claimed before, is over, or is no longer wanted."""


def held(key: str, purpose: Literal["ticket", "callback"], text: str) -> tuple[str, int]:
    """Job and attempt of a credential; raises ``Forbidden`` for any other text."""
    found = parse_credential(key, purpose, text)
    if found is None:
        raise Forbidden
    return found


def attempt_message(job: str, attempt: int) -> str:
    """The queue message for one attempt of a job, for the fix and the publish queue."""
    return json.dumps({"job": job, "attempt": attempt})


def parse_attempt(body: str) -> tuple[str, int]:
    """What ``attempt_message`` wrote; raises ``ValueError`` for anything else."""
    try:
        message = json.loads(body)
        return str(message["job"]), int(message["attempt"])
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not the message of an attempt: {error!r}") from error


# What a task may leave in the bucket: the whole record of an attempt.
OBJECTS: Final = ("patch", "proof", "log", "conversation", "result")


def object_key(job: str, attempt: int, name: str) -> str:
    """Where in the bucket one of an attempt's ``OBJECTS`` lies."""
    return f"jobs/{job}/{attempt}/{name}"
