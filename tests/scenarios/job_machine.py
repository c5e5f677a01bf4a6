"""The state of S15's machine, what has to hold after each step, and how a step is done."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from soulcaster.edges.github import GitHubError
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.queues import QueueError
from soulcaster.edges.redis import Redis, RedisError
from soulcaster.edges.tasks import TaskError
from soulcaster.rules.job import ENDS, MICRO, Superseded, parse_attempt
from soulcaster.rules.project import Project
from soulcaster.use_cases.ask_fix import NothingToFix, TooMuch
from tests.edges.adds_up import snapshot
from tests.edges.clusters import clustered
from tests.edges.servers import command
from tests.rules.samples import feedback
from tests.scenarios.job_actors import Actors
from tests.scenarios.job_doubles import Line, System, Task
from tests.scenarios.jobs_add_up import (
    Stored,
    jobs_in,
    lists_add_up,
    money_adds_up,
    pulls_add_up,
    slots_add_up,
)

# The reply to the n-th call of a system is lost.
type Lost = tuple[System, int] | None
type Work = Callable[[str, int, int], None]

MINUTE = 60_000
START = 1_767_225_600_000 - 5 * MINUTE  # just before a new day
AT_ONCE = 1
PASSING = (RedisError, QueueError, TaskError, GitHubError)
REFUSALS = (Superseded, NothingToFix, TooMuch)


class JobMachine(RuleBasedStateMachine):
    """``held`` is what Redis held after the last step."""

    url: ClassVar[str]
    redis: ClassVar[Redis]

    def __init__(self) -> None:
        super().__init__()
        command(self.url, "FLUSHALL")
        self.actors = Actors(self.redis, START)
        self.cloud, self.hub = self.actors.cloud, self.actors.hub
        self.fixes, self.patches = self.actors.fixes, self.actors.patches
        self.clusters: list[str] = []
        self.held: dict[str, Any] = {}
        self.frozen: dict[str, Stored] = {}

    @initialize()
    def begin(self) -> None:
        """A project with three clusters."""
        made = Project(id="larder", name="Larder", repository="acme/larder", jobs_at_once=AT_ONCE)
        assert ProjectStore(self.redis).put(made, new=True)
        self.clusters = [
            clustered(self.redis, feedback(external_id=f"issue:{number}")) for number in range(3)
        ]

    @invariant()
    def adds_up(self) -> None:
        """Slots, lists, counters and money follow from the jobs; what may not change has not."""
        if not self.clusters:
            return
        held = self.held = snapshot(self.url)
        slots_add_up(held, AT_ONCE)
        lists_add_up(held)
        money_adds_up(held)
        pulls_add_up(held, self.hub.pulls)
        jobs = jobs_in(held)
        assert {job: jobs[job] for job in self.frozen} == self.frozen
        self.frozen = {job: stored for job, stored in jobs.items() if stored["state"] in ENDS}
        for job, stored in self.frozen.items():
            used = sum(task.spent for task in self.cloud.tasks if task.job == job)
            assert used <= int(stored["cost"])

    def teardown(self) -> None:
        """When all is well again, and no task says a word, every job comes to its end."""
        for _ in range(40):
            self.actors.now += 10 * MINUTE
            self._drain(self.fixes, self.actors.dispatch)
            self._drain(self.patches, self.actors.publish)
            self.actors.reap(0)
            self.adds_up()
        assert {stored["state"] for stored in jobs_in(self.held).values()} <= ENDS
        for task in self.working():
            with pytest.raises(Superseded):
                self.actors.heartbeat(task, 0, 0)

    # What there is, in an order that repeats

    def known(self) -> list[str]:
        """Every job."""
        return [job for each in self.clusters for job in self.held.get(f"cl:{each}:jobs", [])]

    def live(self) -> list[str]:
        """Those that have not ended."""
        return [job for job in self.known() if self.stored(job)["state"] not in ENDS]

    def stored(self, job: str) -> Stored:
        """A job as it was after the last step."""
        found: Stored = self.held[f"job:{job}"]
        return found

    def working(self) -> list[Task]:
        """The tasks that have claimed their jobs."""
        return [task for task in self.cloud.tasks if task.token]

    def superseded(self) -> list[Task]:
        """The tasks of earlier attempts than their job is at; they may not know it yet."""
        return [t for t in self.cloud.tasks if t.attempt < int(self.stored(t.job)["attempt"])]

    # Steps

    def do[T](self, lost: Lost, call: Callable[[], T]) -> T | None:
        """What the call gives; None when it was refused, or not answered."""
        with self.actors.replies.losing(lost):
            try:
                return call()
            except (*PASSING, *REFUSALS):
                return None

    def stale(self, job: str, attempt: int) -> None:
        """Whatever an earlier attempt's message, event or call does now, the job stays as it is."""
        if attempt < int(self.stored(job)["attempt"]):
            self.frozen[job] = self.stored(job)

    def deliver(
        self, line: Line, work: Work, which: int, keep: bool, skew: int, lost: Lost
    ) -> None:
        """A message stays after an error, and if ``keep``."""
        body = line.messages[which % len(line.messages)]
        self.stale(*parse_attempt(body))

        def deliver() -> bool:
            work(*parse_attempt(body), skew)
            return True

        if self.do(lost, deliver) and not keep:
            line.messages.remove(body)

    def claim(self, task: Task, skew: int, lost: Lost) -> None:
        """A task shows its ticket, and spends at once what the answer allows."""
        self.stale(task.job, task.attempt)
        answer = self.do(lost, lambda: self.actors.claim(task, skew))
        if answer:
            assert not task.token, "a ticket is good for one claim"
            task.token = answer["token"]
            task.spent = task.granted = round(answer["budget"]["granted"] * MICRO)

    def heartbeat(self, task: Task, wants: int, skew: int, lost: Lost) -> None:
        """A task spends what it was granted, says so and wants more."""
        self.stale(task.job, task.attempt)
        task.spent = task.spent if task.done else task.granted
        answer = self.do(lost, lambda: self.actors.heartbeat(task, wants * MICRO, skew))
        if answer:
            assert task.job not in self.frozen
            task.granted = max(task.granted, answer[0])

    def prove(self, task: Task, skew: int, lost: Lost) -> None:
        """A task says that it runs the tests."""
        self.stale(task.job, task.attempt)
        accepted = self.do(lost, lambda: self.actors.prove(task, skew))
        assert not (accepted and task.job in self.frozen)

    def finish(self, task: Task, outcome: str, skew: int, lost: Lost) -> None:
        """A task says how it ended; it may say so again."""
        self.stale(task.job, task.attempt)
        task.done = True
        self.do(lost, lambda: self.actors.finish(task, outcome, skew))

    def step(self, job: str, lost: Lost) -> None:
        """What a job in its state waits for."""
        stored, attempt = self.stored(job), int(self.stored(job)["attempt"])
        mine = [t for t in self.cloud.tasks if (t.job, t.attempt) == (job, attempt)]
        match stored["state"], mine:
            case ("queued", _) | ("starting", []):
                self.do(lost, lambda: self.actors.dispatch(job, attempt, 0))
            case "starting", [task]:
                self.claim(task, 0, lost)
            case "running", [task] if task.token:
                self.prove(task, 0, lost)
            case "proving", [task] if task.token:
                self.finish(task, "patch", 0, lost)
            case "publishing", _:
                self.do(lost, lambda: self.actors.publish(job, attempt, 0))

    def bring(self, job: str, state: str) -> None:
        """A job goes on its way until it is in ``state``, if it gets there in a few steps."""
        for _ in range(5):
            if self.stored(job)["state"] != state:
                self.step(job, None)
                self.adds_up()

    def _drain(self, line: Line, work: Work) -> None:
        messages, line.messages = line.messages, []
        for body in messages:
            work(*parse_attempt(body), 0)
