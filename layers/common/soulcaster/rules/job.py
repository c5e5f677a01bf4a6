"""The life of a fix job.

    queued → starting → running → publishing → pr_open
                 ↘          ↘          ↘
                  queued (next attempt), or an end

Every transition is one script with the attempt as its fence (``edges/lua/job_move.lua``):
a writer of an earlier attempt, or of a state that has passed, changes nothing.
"""

import hashlib
import hmac
import json
from typing import Final, Literal

State = Literal[
    "queued",
    "starting",
    "running",
    "publishing",
    "pr_open",
    "no_change",
    "refused",
    "failed",
    "timed_out",
    "over_budget",
]

ENDS: Final[frozenset[State]] = frozenset(
    {"pr_open", "no_change", "refused", "failed", "timed_out", "over_budget"}
)

# From which states each state may be entered.
ENTERED_FROM: Final[dict[State, tuple[State, ...]]] = {
    "queued": ("starting", "running"),  # the next attempt
    "starting": ("queued",),
    "running": ("starting",),
    "publishing": ("running",),
    "pr_open": ("publishing",),
    "no_change": ("running",),
    "refused": ("running", "publishing"),
    "failed": ("queued", "starting", "running", "publishing"),
    "timed_out": ("running",),
    "over_budget": ("running",),
}

MAX_ATTEMPTS = 3
MINUTES_PER_JOB = 30
HEARTBEAT_SECONDS = 15

# How long a job may stay as it is before the reaper looks at it, in ms.
PATIENCE: Final[dict[State, int]] = {
    "queued": 5 * 60_000,  # a message waits in the queue
    "starting": 5 * 60_000,  # Fargate pulls the image
    "running": 4 * HEARTBEAT_SECONDS * 1_000,  # missed heartbeats
    "publishing": 5 * 60_000,
}


def _proof(key: str, purpose: str, job: str, attempt: int) -> str:
    signed = f"{purpose}\n{job}\n{attempt}".encode()
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


def object_key(job: str, attempt: int, name: str) -> str:
    """Where in the bucket an attempt's ``patch``, ``log`` or ``conversation`` lies."""
    return f"jobs/{job}/{attempt}/{name}"
