"""A task claims the job whose ticket it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from soulcaster.edges.bucket import Bucket
from soulcaster.edges.github import GitHub, GitHubError
from soulcaster.edges.job_store import JobStore
from soulcaster.rules import ids
from soulcaster.rules.job import (
    HEARTBEAT_SECONDS,
    MINUTES_PER_JOB,
    Superseded,
    credential,
    held,
    object_key,
)
from soulcaster.rules.prompt import fix_prompt

EVIDENCE = 20


@dataclass(frozen=True, slots=True)
class Model:
    """The model that the engine is given."""

    base_url: str
    api_key: str
    name: str


def claim(
    ticket: str,
    *,
    jobs: JobStore,
    bucket: Bucket,
    github: Callable[[], GitHub],
    github_url: str,
    model: Model,
    key: str,
    now: int,
) -> dict[str, Any]:
    """What the task needs for its one attempt; the ticket is worth nothing afterwards.

    Raises ``Forbidden``, ``Superseded``, ``GitHubError`` and ``RedisError``. The transition
    comes last, so a claim that failed half-way may be made again with the same ticket.
    """
    job, attempt = held(key, "ticket", ticket)
    brief = jobs.brief(job, EVIDENCE)
    if brief is None or brief.job["state"] != "starting" or brief.job["attempt"] != str(attempt):
        raise Superseded
    repository = brief.project["repository"]
    try:
        token = github().installation_token(repository, {"contents": "read", "metadata": "read"})
    except GitHubError as error:
        if not error.retryable:
            # Every further attempt would end here too.
            jobs.move(job, attempt, "failed", now, f"{repository} can't be read: {error}"[:500])
        raise
    deadline = now // 1000 + MINUTES_PER_JOB * 60
    upload_seconds = MINUTES_PER_JOB * 60 + 600
    answer = {
        "job_id": job,
        "project_id": ids.project_of(job, "job"),
        "attempt": attempt,
        "token": credential(key, "callback", job, attempt),
        "deadline": deadline,
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        "repository": {
            "clone_url": f"{github_url}/{repository}.git",
            "token": token,
            "base": brief.project["base"],
        },
        "prompt": fix_prompt(
            repository,
            brief.cluster.get("name") or "",
            brief.cluster.get("summary") or "",
            [(doc["title"], doc["body"]) for doc in brief.feedback],
        ),
        "model": {"base_url": model.base_url, "api_key": model.api_key, "name": model.name},
        "uploads": {
            name: bucket.upload_url(object_key(job, attempt, name), upload_seconds)
            for name in ("patch", "log", "conversation")
        },
    }
    # What the pull request will be called: a cluster may be renamed while the agent works.
    name = str(brief.cluster.get("name") or "")
    fields = {"deadline": str(deadline * 1000), "title": name}
    moved = jobs.move(job, attempt, "running", now, "the agent is at work", fields)
    if moved.outcome != "moved":
        raise Superseded
    return answer
