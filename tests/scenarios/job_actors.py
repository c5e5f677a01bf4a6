"""Who works on the jobs of S15: the product's use cases, each with a clock that may be wrong."""

from typing import TYPE_CHECKING, Any, cast

from soulcaster.edges.job_store import JobStore, Moved, Spent
from soulcaster.use_cases.ask_fix import Asked, ask_fix
from soulcaster.use_cases.cancel import cancel
from soulcaster.use_cases.claim import Agent, Model, claim
from soulcaster.use_cases.dispatch import dispatch
from soulcaster.use_cases.finish import Report, finish, heartbeat, proving
from soulcaster.use_cases.observe import observe
from soulcaster.use_cases.publish import publish
from soulcaster.use_cases.reap import reap
from tests.scenarios.job_doubles import (
    PATCH_SHA256,
    Cloud,
    Hub,
    Line,
    LossyRedis,
    Patches,
    Replies,
    Task,
)

if TYPE_CHECKING:
    from soulcaster.edges.bucket import Bucket
    from soulcaster.edges.github import GitHub
    from soulcaster.edges.queues import Queue
    from soulcaster.edges.redis import Redis
    from soulcaster.edges.tasks import Tasks

KEY = "a key for tickets"
AGENT = Agent("kilo", Model("https://model.example", "none", "m", 1.0, 2.0), ())


class Actors:
    """``now`` is the time in ms; every call takes by how much its clock is wrong, ``skew``."""

    def __init__(self, redis: "Redis", now: int) -> None:
        self.now = now
        self.replies = Replies()
        self.jobs = JobStore(cast("Redis", LossyRedis(redis, self.replies)))
        self.fixes, self.patches = Line(self.replies), Line(self.replies)
        self.cloud, self.hub = Cloud(self.replies), Hub(self.replies)
        self._fixes, self._patches = cast("Queue", self.fixes), cast("Queue", self.patches)
        self._bucket = cast("Bucket", Patches())

    def ask(self, cluster: str, skew: int, *, again: bool) -> Asked | None:
        """A person asks for a fix."""
        now = self.now + skew
        return ask_fix(cluster, "ada", again=again, jobs=self.jobs, queue=self._fixes, now=now)

    def cancel(self, job: str, skew: int) -> Moved:
        """A person cancels a fix."""
        return cancel(job, "ada", jobs=self.jobs, queue=self._fixes, now=self.now + skew)

    def dispatch(self, job: str, attempt: int, skew: int) -> None:
        """The consumer of ``fixes``."""
        dispatch(
            job,
            attempt,
            jobs=self.jobs,
            tasks=cast("Tasks", self.cloud),
            queue=self._fixes,
            key=KEY,
            api_url="https://api.example",
            now=self.now + skew,
        )

    def publish(self, job: str, attempt: int, skew: int) -> None:
        """The consumer of ``patches``."""
        jobs, now = self.jobs, self.now + skew
        publish(job, attempt, jobs=jobs, bucket=self._bucket, github=self._github, now=now)

    def observe(self, event: dict[str, Any]) -> None:
        """ECS's event."""
        observe(event, jobs=self.jobs, queue=self._fixes, now=self.now)

    def reap(self, skew: int) -> int:
        """A tick of the schedule."""
        return reap(
            jobs=self.jobs,
            fix_queue=self._fixes,
            publish_queue=self._patches,
            tasks=cast("Tasks", self.cloud),
            now=self.now + skew,
        )

    def claim(self, task: Task, skew: int) -> dict[str, Any]:
        """A task shows its ticket."""
        return claim(
            task.ticket,
            jobs=self.jobs,
            bucket=self._bucket,
            github=self._github,
            github_url="https://github.example",
            agent=AGENT,
            queue=self._fixes,
            key=KEY,
            now=self.now + skew,
        )

    def heartbeat(self, task: Task, wanted: int, skew: int) -> tuple[int, int]:
        """A task says that it lives."""
        spent, now = Spent(task.spent), self.now + skew
        return heartbeat(task.token, spent, wanted, (0, ["."]), jobs=self.jobs, key=KEY, now=now)

    def prove(self, task: Task, skew: int) -> bool:
        """A task says that it runs the tests."""
        proving(task.token, Spent(task.spent), jobs=self.jobs, key=KEY, now=self.now + skew)
        return True

    def finish(self, task: Task, outcome: str, skew: int) -> str:
        """A task says how it ended."""
        report = Report(
            outcome=outcome,
            cause="",
            reason="",
            summary="",
            patch_sha256=PATCH_SHA256,
            proof_sha256="",
            verdict="no_tests",
            spent=Spent(task.spent),
            exact=True,
        )
        return finish(
            task.token,
            report,
            jobs=self.jobs,
            fix_queue=self._fixes,
            publish_queue=self._patches,
            key=KEY,
            now=self.now + skew,
        )

    def _github(self) -> "GitHub":
        return cast("GitHub", self.hub)
