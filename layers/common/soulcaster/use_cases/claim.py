"""A task claims the job whose ticket it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from soulcaster.edges.bucket import Bucket
from soulcaster.edges.github import GitHub, GitHubError
from soulcaster.edges.job_store import Brief, JobStore
from soulcaster.edges.plan_store import plan_in
from soulcaster.edges.queues import Queue
from soulcaster.rules import ids
from soulcaster.rules.job import (
    HEARTBEAT_SECONDS,
    MAX_ATTEMPTS,
    MICRO,
    OBJECTS,
    Cause,
    State,
    Superseded,
    credential,
    held,
    object_key,
    proof_seconds,
)
from soulcaster.rules.project import Project
from soulcaster.rules.prompt import fix_prompt
from soulcaster.use_cases.retry import call_next

EVIDENCE = 20
# What an attempt may spend before it must ask for more (of a small budget a part, so that one that
# is lost at once leaves something), and the least that is worth a start.
FIRST_GRANT = MICRO // 2
LEAST_LEFT = MICRO // 100
# Far above what the dollars buy; it bounds models whose price is given as nothing.
TOKENS_PER_ATTEMPT = 3_000_000
UPLOAD_SECONDS = 600  # after the deadline


@dataclass(frozen=True, slots=True)
class Model:
    """The model that the engine is given; prices in dollars for a million tokens."""

    base_url: str
    api_key: str
    name: str
    price_read: float
    price_written: float


@dataclass(frozen=True, slots=True)
class Agent:
    """Which engine runs, with which model, and which hosts it may reach besides that."""

    engine: str
    model: Model
    egress: tuple[str, ...]


def claim(
    ticket: str,
    *,
    jobs: JobStore,
    bucket: Bucket,
    github: Callable[[], GitHub],
    github_url: str,
    agent: Agent,
    queue: Queue,
    key: str,
    now: int,
) -> dict[str, Any]:
    """What the task needs for its one attempt; the ticket is worth nothing afterwards.

    Raises ``Forbidden``, ``Superseded``, ``GitHubError``, ``QueueError`` and ``RedisError``. The
    transition comes last, so a claim that failed half-way may be made again with the same ticket.
    """
    job, attempt = held(key, "ticket", ticket)
    brief = jobs.brief(job, EVIDENCE)
    if brief is None or brief.job["state"] != "starting" or brief.job["attempt"] != str(attempt):
        raise Superseded
    project = Project(**brief.project)
    repository = brief.job.get("repository") or project.repository
    budget = int(brief.job.get("budget") or project.dollars_per_job * MICRO)
    left = budget - int(brief.job.get("charged") or 0)

    def end(to: State, reason: str, cause: Cause) -> None:
        call_next(jobs.move(job, attempt, to, now, reason, {"cause": cause}), queue)

    if left < LEAST_LEFT:
        end("over_budget", "earlier attempts have used up the job's budget", "budget")
        raise Superseded
    try:
        token = github().installation_token(repository, {"contents": "read", "metadata": "read"})
    except GitHubError as error:
        if not error.retryable:
            # Every further attempt would end here too.
            end("failed", f"{repository} can't be read: {error}"[:500], "clone")
        raise
    minutes = int(brief.job.get("minutes") or project.minutes_per_job)
    deadline, granted = now // 1000 + minutes * 60, min(FIRST_GRANT, left // MAX_ATTEMPTS)
    lasts = minutes * 60 + UPLOAD_SECONDS
    answer = {
        "job_id": job,
        "project_id": ids.project_of(job, "job"),
        "attempt": attempt,
        "token": credential(key, "callback", job, attempt),
        "deadline": deadline,
        "engine_deadline": deadline - proof_seconds(minutes),
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        "repository": {
            "clone_url": f"{github_url}/{repository}.git",
            "token": token,
            "base": brief.job.get("base") or project.base,
        },
        "prompt": _prompt(brief, repository),
        "engine": agent.engine,
        "egress": list(agent.egress),
        "tests": {"setup": project.test_setup, "command": project.test_command},
        "model": {
            "base_url": agent.model.base_url,
            "api_key": agent.model.api_key,
            "name": agent.model.name,
            "price": {"read": agent.model.price_read, "written": agent.model.price_written},
        },
        "budget": {
            "dollars": left / MICRO,
            "tokens": TOKENS_PER_ATTEMPT,
            "granted": granted / MICRO,
        },
        "uploads": {
            name: bucket.upload_url(object_key(job, attempt, name), lasts) for name in OBJECTS
        },
    }
    fields = {
        "deadline": str(deadline * 1000),
        # What the pull request will be called: a cluster may be renamed while the agent works.
        "title": str(brief.cluster.get("name") or ""),
        "granted": str(granted),
        "engine": agent.engine,
        "model": agent.model.name,
        "started_with": str(brief.size),
        "claimed_at": str(now),
    }
    moved = jobs.move(job, attempt, "running", now, "the agent is at work", fields)
    if moved.outcome != "moved":
        raise Superseded
    return answer


def _prompt(brief: Brief, repository: str) -> str:
    return fix_prompt(
        repository,
        brief.cluster.get("name") or "",
        brief.cluster.get("summary") or "",
        [(doc["title"], doc["body"]) for doc in brief.feedback],
        plan=plan_in(brief.plan) if brief.plan else None,
        said=[doc["said"] for doc in brief.feedback],
    )
