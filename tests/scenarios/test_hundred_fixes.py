"""A hundred fixes are asked for at once, and there are five slots."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from local.parameters import REGION
from soulcaster.edges.bucket import Bucket
from soulcaster.edges.clock import now_ms
from soulcaster.edges.github import GitHub
from soulcaster.edges.job_store import JobStore, Spent
from soulcaster.edges.queues import Queue
from soulcaster.edges.tasks import Tasks
from soulcaster.rules.job import ENDS, HOLDS_SLOT, credential, parse_attempt
from soulcaster.use_cases.ask_fix import ask_fix
from soulcaster.use_cases.claim import Agent, Model, claim
from soulcaster.use_cases.dispatch import dispatch
from soulcaster.use_cases.finish import Report, finish
from soulcaster.use_cases.observe import observe
from soulcaster.use_cases.reap import reap
from tests.support import account, seeds, state
from tests.support.world import World

FIXES, SLOTS = 100, 5
KEY = "k" * 64
AGENT = Agent("kilo", Model("http://model.example", "a-key", "a-model", 5.0, 25.0), ())
REPORT = Report(
    outcome="no_change",
    cause="",
    reason="",
    summary="",
    patch_sha256="",
    proof_sha256="",
    verdict="",
    spent=Spent(1000, 10, 1, 1),
    exact=True,
)


def _lost(job: str) -> bool:
    """Whether the job's first task is lost."""
    return job[-1] in "05af"


@dataclass(frozen=True)
class Fleet:
    """The use cases with real edges, as functions and tasks would run them side by side."""

    world: World
    jobs: JobStore
    tasks: Tasks
    fixes: Queue
    publishes: Queue
    bucket: Bucket
    github: GitHub
    threads: ThreadPoolExecutor

    def ask(self, cluster: str) -> None:
        """A person's click."""
        assert ask_fix(cluster, "ada", jobs=self.jobs, queue=self.fixes, now=now_ms())

    def deliver(self) -> int:
        """Everything in the queue, side by side, each message twice; returns how many."""
        url, delivered = self.world.stack.queues["FixQueue"].url, 0
        self.world.queue_clock.ahead += 900  # longer than any message is held back
        while got := self._received(url):
            delivered += len(got)
            bodies = [message["Body"] for message in got for _ in range(2)]
            for number, _ in enumerate(self.threads.map(self._start, bodies)):
                if number % 4 == 0:
                    self.check()
            for message in got:
                self.world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return delivered

    def _received(self, url: str) -> list[Any]:
        answer = self.world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        found: list[Any] = answer.get("Messages", [])
        return found

    def _start(self, body: str) -> None:
        job, attempt = parse_attempt(body)
        edges: dict[str, Any] = {"jobs": self.jobs, "tasks": self.tasks, "queue": self.fixes}
        dispatch(job, attempt, **edges, key=KEY, api_url="http://api.example", now=now_ms())

    def work(self, job: dict[str, Any]) -> None:
        """What a task does; one in four is lost on its first attempt, without a word."""
        identifier, attempt = job["id"], int(job["attempt"])
        held = claim(
            credential(KEY, "ticket", identifier, attempt),
            jobs=self.jobs,
            bucket=self.bucket,
            github=lambda: self.github,
            github_url="http://github.example",
            agent=AGENT,
            queue=self.fixes,
            key=KEY,
            now=now_ms(),
        )
        self.check()
        self.tasks.stop(job["task"], "its process has ended")
        if attempt == 1 and _lost(identifier):
            detail = {"startedBy": f"{identifier}/{attempt}", "lastStatus": "STOPPED"}
            observe(detail, jobs=self.jobs, queue=self.fixes, now=now_ms())
            return
        queues = {"fix_queue": self.fixes, "publish_queue": self.publishes}
        finish(held["token"], REPORT, jobs=self.jobs, **queues, key=KEY, now=now_ms())

    def check(self) -> None:
        """No more than there are slots, wherever one looks."""
        cluster = self.world.stack.functions["DispatchFunction"].environment["ECS_CLUSTER"]
        alive = self.world.ecs.list_tasks(cluster=cluster)["taskArns"]
        assert len(alive) <= SLOTS, alive
        assert state.redis(self.world, "SCARD", "sys:slots") <= SLOTS
        counted = state.redis(
            self.world, "HMGET", f"p:{seeds.PROJECT}:counts", *(f"job:{s}" for s in HOLDS_SLOT)
        )
        assert sum(int(number or 0) for number in counted) <= SLOTS


@pytest.fixture
def fleet(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A project with a repository, whose limits are the installation's."""
    account.nobodys(monkeypatch)
    for name, value in {
        "AWS_ENDPOINT_URL_S3": world.direct.s3,
        "AWS_ENDPOINT_URL_SQS": world.direct.sqs,
        "AWS_ENDPOINT_URL_ECS": world.direct.ecs,
        "AWS_SECRET_ACCESS_KEY": world.credentials.aws_secret,
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    seeds.project(world, seeds.posts(world))
    settings = world.stack.functions["DispatchFunction"].environment
    assert settings["JOBS_AT_ONCE"] == str(SLOTS)
    with ThreadPoolExecutor(4) as threads:
        yield Fleet(
            world=world,
            jobs=JobStore(seeds.redis(world), SLOTS),
            tasks=Tasks(
                cluster=settings["ECS_CLUSTER"],
                definition=settings["TASK_DEFINITION"],
                container=settings["TASK_CONTAINER"],
                subnets=["subnet-a"],
                security_groups=["sg-a"],
            ),
            fixes=Queue(world.stack.queues["FixQueue"].url),
            publishes=Queue(world.stack.queues["PublishQueue"].url),
            bucket=Bucket(world.stack.buckets[0].name),
            github=GitHub(world.direct.github, "1", world.credentials.github_private_key),
            threads=threads,
        )


def records(world: World) -> list[dict[str, Any]]:
    """Every job as it is stored, its task, too."""
    found = []
    for job in state.redis(world, "ZRANGE", f"p:{seeds.PROJECT}:jobs", 0, -1):
        flat = state.redis(world, "HGETALL", f"p:{seeds.PROJECT}:job:{job}")
        found.append(dict(zip(flat[::2], flat[1::2], strict=True)))
    return found


def started(world: World, job: dict[str, Any]) -> list[int]:
    """How many tasks were ever started for each of a job's attempts."""
    cluster = world.stack.functions["DispatchFunction"].environment["ECS_CLUSTER"]
    counts = []
    for attempt in range(1, int(job["attempt"]) + 1):
        wanted = {"startedBy": f"{job['id']}/{attempt}", "desiredStatus": "STOPPED"}
        counts.append(len(world.ecs.list_tasks(cluster=cluster, **wanted)["taskArns"]))
    return counts


def test_a_hundred_fixes_share_five_slots(fleet: Fleet) -> None:
    """Never more than five jobs or tasks at a time; each ends, without the reaper's help but for
    what nobody was called for, and none is started twice for an attempt. Every message comes
    twice, and one first task in four is lost.
    """
    world = fleet.world
    seeds.apart(world, [f"Problem {n}" for n in range(FIXES)])
    clusters = sorted(state.records(world, "cl"))
    assert len(clusters) == FIXES
    list(fleet.threads.map(fleet.ask, clusters))
    rounds = 0
    while live := [job for job in records(world) if job["state"] not in ENDS]:
        rounds += 1
        assert rounds <= 2 * FIXES, Counter(job["state"] for job in live)
        ready = [job for job in live if job["state"] == "starting" and "task" in job]
        list(fleet.threads.map(fleet.work, ready))
        if not fleet.deliver() and not ready:
            queues = {"fix_queue": fleet.fixes, "publish_queue": fleet.publishes}
            reap(jobs=fleet.jobs, **queues, tasks=fleet.tasks, now=now_ms())
    ended = records(world)
    assert Counter(job["state"] for job in ended) == {"no_change": FIXES}
    assert {number for job in ended for number in started(world, job)} == {1}
    lost = [job for job in ended if job["attempt"] == "2"]
    assert {job["id"] for job in lost} == {each["id"] for each in ended if _lost(each["id"])}
    assert state.redis(world, "EXISTS", "sys:slots", "sys:waiting", "sys:jobs") == 0
