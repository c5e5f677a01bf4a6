"""Jobs as the tests need them, made and moved through the store's own door."""

from typing import Any

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.job import State
from soulcaster.rules.project import Project
from tests.edges.clusters import clustered
from tests.edges.servers import command
from tests.rules.samples import NOW, feedback

DEADLINE = NOW + 30 * 60_000
# A way to each state from the first one.
WAYS: dict[State, tuple[State, ...]] = {
    "queued": (),
    "starting": ("starting",),
    "running": ("starting", "running"),
    "proving": ("starting", "running", "proving"),
    "publishing": ("starting", "running", "proving", "publishing"),
    "pr_open": ("starting", "running", "proving", "publishing", "pr_open"),
    "refused": ("starting", "running", "proving", "publishing", "refused"),
    "no_change": ("starting", "running", "no_change"),
    "timed_out": ("starting", "running", "timed_out"),
    "over_budget": ("starting", "running", "over_budget"),
    "failed": ("failed",),
    "cancelled": ("cancelled",),
}


def asked(jobs: JobStore, cluster: str, now: int = NOW) -> str:
    """A new job; returns its id."""
    answer = jobs.ask(cluster, now, "a person")
    assert (answer.outcome, answer.said, answer.attempt) == ("created", "queued", 1)
    return answer.id


def brought(jobs: JobStore, job: str, state: State, attempt: int = 1, **fields: str) -> str:
    """Move a queued job to ``state``, with ``fields`` at each step; returns the job."""
    for step in WAYS[state]:
        said = {"deadline": str(DEADLINE), **fields} if step == "running" else fields
        assert jobs.move(job, attempt, step, NOW, "test", said).outcome == "moved"
    return job


def clusters(redis: Redis, number: int) -> list[str]:
    """So many clusters of an item each."""
    return [clustered(redis, feedback(external_id=f"lone:{n}")) for n in range(number)]


def settings(redis: Redis, project: str = "larder", **given: Any) -> None:
    """Make or change a project that has a repository."""
    made = Project(id=project, name=project, repository=f"acme/{project}", **given)
    store = ProjectStore(redis)
    assert store.put(made, new=False) or store.put(made, new=True)


def cluster_of(url: str, project: str, number: int = 0) -> str:
    """A bare cluster of any project; enough to ask for a fix of."""
    cluster = f"cl_{project}_{number:020x}"
    command(url, "HSET", f"p:{project}:cl:{cluster}", "id", cluster, "status", "open")
    command(url, "ZADD", f"p:{project}:cl:{cluster}:items", NOW, "fb_none")
    return cluster


def job_field(url: str, job: str, field: str) -> str | None:
    """One stored field of a job."""
    project = job.split("_")[1]
    found: str | None = command(url, "HGET", f"p:{project}:job:{job}", field)
    return found


def held(url: str, project: str = "larder") -> set[str]:
    """The jobs that hold a slot of the project."""
    return set(command(url, "SMEMBERS", f"p:{project}:slots"))
