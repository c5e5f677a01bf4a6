"""S15: whatever happens to jobs, in whatever order: one live attempt, one end, one pull request."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from soulcaster.edges.redis import Redis
from tests.scenarios.job_doubles import System, Task
from tests.scenarios.job_machine import MINUTE, JobMachine, Lost

WHICH = st.integers(0, 30)
WANTS = st.integers(0, 6)
SKEW = st.sampled_from([0, 0, -10 * MINUTE, 10 * MINUTE])
SYSTEMS: list[System] = ["redis", "sqs", "ecs", "github"]
LOST = st.none() | st.none() | st.tuples(st.sampled_from(SYSTEMS), st.integers(1, 3))
OUTCOMES = st.sampled_from(["patch", "patch", "no_change", "failed", "timed_out", "over_budget"])
CALLS = st.sampled_from(["claim", "heartbeat", "prove", "finish"])


class Jobs(JobMachine):
    """One job runs at a time; every actor has a clock of its own, and any reply may be lost."""

    # When nothing goes wrong

    @precondition(lambda self: self.live())
    @rule(which=WHICH, steps=st.integers(1, 6), lost=LOST)
    def go_on(self, which: int, steps: int, lost: Lost) -> None:
        """A live job goes on its way for some steps; only the last one may be disturbed."""
        job = self._pick(which)
        for left in reversed(range(steps)):
            self.step(job, None if left else lost)
            self.adds_up()

    # What is rare unless somebody sees to it

    @precondition(lambda self: self.live())
    @rule(which=WHICH)
    def try_again(self, which: int) -> None:
        """A task is lost at its work, and the next one gets as far."""
        job = self._pick(which)
        self.bring(job, "running")
        for task in [t for t in self.working() if t.job == job][-1:]:
            self.cloud.end(task)
            self.actors.observe(task.stopped())
            self.adds_up()
            self.bring(job, "running")

    @precondition(lambda self: self.live())
    @rule(which=WHICH, number=st.integers(1, 3))
    def regret(self, which: int, number: int) -> None:
        """A job is cancelled when a reply of GitHub's was lost to its publisher."""
        job = self._pick(which)
        self.bring(job, "publishing")
        self.step(job, ("github", number))
        self.adds_up()
        self.do(None, lambda: self.actors.cancel(job, 0))

    def _pick(self, which: int) -> str:
        live = self.live()
        return live[which % len(live)]

    # What people do

    @rule(which=WHICH, again=st.booleans(), skew=SKEW, lost=LOST)
    def ask(self, which: int, again: bool, skew: int, lost: Lost) -> None:
        """Ask for a fix."""
        cluster = self.clusters[which % len(self.clusters)]
        self.do(lost, lambda: self.actors.ask(cluster, skew, again=again))

    @precondition(lambda self: self.known())
    @rule(which=WHICH, skew=SKEW, lost=LOST)
    def cancel(self, which: int, skew: int, lost: Lost) -> None:
        """Cancel any job."""
        known = self.known()
        self.do(lost, lambda: self.actors.cancel(known[which % len(known)], skew))

    # What the functions do

    @precondition(lambda self: self.fixes.messages)
    @rule(which=WHICH, keep=st.booleans(), skew=SKEW, lost=LOST)
    def deliver_fix(self, which: int, keep: bool, skew: int, lost: Lost) -> None:
        """A message to the dispatcher."""
        self.deliver(self.fixes, self.actors.dispatch, which, keep, skew, lost)

    @precondition(lambda self: self.patches.messages)
    @rule(which=WHICH, keep=st.booleans(), skew=SKEW, lost=LOST)
    def deliver_patch(self, which: int, keep: bool, skew: int, lost: Lost) -> None:
        """A message to the publisher."""
        self.deliver(self.patches, self.actors.publish, which, keep, skew, lost)

    @rule(skew=SKEW, lost=LOST)
    def reap(self, skew: int, lost: Lost) -> None:
        """A tick of the reaper's schedule."""
        self.do(lost, lambda: self.actors.reap(skew))

    @precondition(lambda self: self.cloud.events)
    @rule(which=WHICH, keep=st.booleans(), lost=LOST)
    def observe(self, which: int, keep: bool, lost: Lost) -> None:
        """An event of ECS, perhaps to be repeated; after errors it is lost."""
        task = self.cloud.events[which % len(self.cloud.events)]
        self.stale(task.job, task.attempt)
        self.do(lost, lambda: self.actors.observe(task.stopped()))
        if not keep:
            self.cloud.events.remove(task)

    # What tasks do

    @precondition(lambda self: self.cloud.tasks)
    @rule(which=WHICH, said=st.booleans())
    def end(self, which: int, said: bool) -> None:
        """A task ends by itself, and ECS says so at once or later."""
        task = self.cloud.tasks[which % len(self.cloud.tasks)]
        self.stale(task.job, task.attempt)
        self.cloud.end(task)
        if said:
            self.actors.observe(task.stopped())

    @precondition(lambda self: self.cloud.tasks)
    @rule(which=WHICH, call=CALLS, wants=WANTS, outcome=OUTCOMES, skew=SKEW, lost=LOST)
    def call(self, which: int, call: str, wants: int, outcome: str, skew: int, lost: Lost) -> None:
        """Any task calls, whether or not it should."""
        tasks = self.cloud.tasks
        self._call(tasks[which % len(tasks)], call, wants, outcome, skew, lost)

    @precondition(lambda self: self.superseded())
    @rule(which=WHICH, call=CALLS, wants=WANTS, outcome=OUTCOMES, skew=SKEW)
    def call_late(self, which: int, call: str, wants: int, outcome: str, skew: int) -> None:
        """A task calls after its job was tried again."""
        tasks = self.superseded()
        self._call(tasks[which % len(tasks)], call, wants, outcome, skew, None)

    def _call(self, task: Task, call: str, wants: int, outcome: str, skew: int, lost: Lost) -> None:
        match call:
            case "claim":
                self.claim(task, skew, lost)
            case "heartbeat" if task.token:
                self.heartbeat(task, wants, skew, lost)
            case "prove" if task.token:
                self.prove(task, skew, lost)
            case "finish" if task.token:
                self.finish(task, outcome, skew, lost)

    @rule(minutes=st.sampled_from([1, 2, 6, 31, 70]))
    def wait(self, minutes: int) -> None:
        """Time passes; leases expire."""
        self.actors.now += minutes * MINUTE


def test_s15_jobs_hold_whatever_happens_to_them(redis_url: str, redis: Redis) -> None:
    """After each step: what an earlier attempt says or sends changes nothing; what ended stays as
    it is; slots, lists, counters and money follow from the jobs; no job costs less than its tasks
    spent; it has one branch and one pull request at most, and none when it was cancelled. In the
    end every job has ended. ECS, queues, bucket and GitHub are doubles here; Redis is real.
    """
    Jobs.url, Jobs.redis = redis_url, redis
    run_state_machine_as_test(
        Jobs,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
