"""One attempt: confine the engine, clone, let it work, collect the patch, prove it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from soulcaster_agent.budget import Meter
from soulcaster_agent.checkout import Checkout, check_out
from soulcaster_agent.confinement import Confinement, confine
from soulcaster_agent.conversation import Conversation
from soulcaster_agent.engine import Engine, EngineResult
from soulcaster_agent.git import Git, GitError
from soulcaster_agent.job import Job
from soulcaster_agent.log import Log
from soulcaster_agent.patch import Patch, PatchError, make_patch
from soulcaster_agent.process import Command, DeadlinePassedError, StoppedError
from soulcaster_agent.proof import Prover
from soulcaster_agent.proxy import ModelProxy
from soulcaster_agent.redact import Redactor
from soulcaster_agent.report import Facts
from soulcaster_agent.verdict import Proof

NOT_CONFINED = (
    "The engine can't be confined on this machine, so it is not trusted with a real model's key or "
    "a real repository: run the task as root, or install bubblewrap."
)
LATE = "The time was over before the work was done."


@dataclass(frozen=True)
class Outcome:
    """How the attempt ended: patch, no_change, refused, failed, timed_out or over_budget.

    ``cause`` is a short code for why, '' for a patch, which alone has a ``proof``.
    """

    name: str
    reason: str = ""
    summary: str = ""
    patch: Patch | None = None
    cause: str = ""
    proof: Proof | None = None


@dataclass(frozen=True)
class Attempt:
    """An attempt at a job in an empty ``folder``, which is the caller's to remove.

    ``proving`` is called once, when there is a patch and before its tests are run; what it
    raises ends the attempt. ``facts`` is filled in on the way.
    """

    job: Job
    engine: Engine
    log: Log
    conversation: Conversation
    folder: Path
    meter: Meter
    redact: Redactor
    facts: Facts
    proving: Callable[[], None]
    tests: Command = field(default_factory=Command)

    def stop(self) -> None:
        """End what runs, engine or tests, or what is started next; callable from any thread."""
        self.engine.stop()
        self.tests.stop()

    def run(self) -> Outcome:
        """Work until there is an outcome; raises StoppedError.

        However it ends, nothing that the engine or a test started is running any more.
        """
        job, programs = self.job, self.engine.programs
        if not job.model.is_configured:
            return Outcome("failed", "No model is configured.", cause="no_model")
        with confine(self.folder, programs, job.egress, self.log) as confinement:
            self.facts.confinement = confinement.says
            if not confinement.holds and not job.is_local:
                return Outcome("refused", NOT_CONFINED, cause="not_confined")
            try:
                return self._work(confinement)
            except DeadlinePassedError:
                return Outcome("timed_out", LATE, cause="deadline")
            except OSError as error:
                reason = f"The task's file system failed: {error.strerror}."
                return Outcome("failed", reason, cause="engine")

    def _work(self, confinement: Confinement) -> Outcome:
        job = self.job
        home = self.folder / "git-home"
        home.mkdir()
        git = Git(home, job.deadline)
        self.log.note(f"Job {job.job_id}, attempt {job.attempt}: cloning {job.repository.base}")
        try:
            checkout = check_out(job.repository, self.folder, git)
        except GitError as error:
            reason = f"The repository could not be cloned: {error}"
            return Outcome("failed", reason, cause="clone")
        self.facts.base = checkout.base
        confinement.hand_over(checkout.workdir)
        self.log.note(f"The engine starts on {checkout.base}")
        try:
            result = self._converse(checkout.workdir, confinement)
        finally:
            self.log.note(f"{self.meter.spent}.")
        if isinstance(result, Outcome):
            return result
        if foreign := confinement.foreign(checkout.workdir):
            reason = f"The engine left a file that is not its own: {foreign}."
            return Outcome("failed", reason, cause="engine")
        outcome = self._collect(result, checkout, git)
        if outcome.patch is None:
            return outcome
        return replace(outcome, proof=self._prove(checkout, confinement))

    def _converse(self, workdir: Path, confinement: Confinement) -> EngineResult | Outcome:
        """Run the engine with the proxy as its model, until nothing of it runs any more."""
        job, stop = self.job, self.engine.stop
        conversation, uid, network = self.conversation, confinement.uid, confinement.network
        with ModelProxy(job.model, self.meter, conversation, uid, stop, network) as proxy:
            model = proxy.given
            try:
                result = self.engine.run(
                    workdir, job.prompt, model, job.engine_deadline, self.log, confinement
                )
            except StoppedError:
                if not proxy.over_budget:
                    raise
                return Outcome("over_budget", proxy.over_budget, cause="budget")
            finally:
                confinement.end()
            # It may have ended by itself before it could be stopped.
            if proxy.over_budget:
                return Outcome("over_budget", proxy.over_budget, cause="budget")
            return result

    def _collect(self, result: EngineResult, checkout: Checkout, git: Git) -> Outcome:
        """Turn what the engine left in the clone into an outcome."""
        if not result.ok:
            return Outcome("failed", result.reason, result.summary, cause="engine")
        try:
            patch = make_patch(checkout, git)
        except (PatchError, GitError) as error:
            reason = f"The patch could not be made: {error}"
            return Outcome("failed", reason, result.summary, cause="engine")
        for complaint in git.complaints:
            self.log.note(f"Not in the patch: {complaint}")
        if not patch.files:
            reason = "The engine ended without changing a file."
            return Outcome("no_change", reason, result.summary, cause="no_change")
        self.log.note(f"{len(patch.files)} files changed")
        return Outcome("patch", "", result.summary, patch)

    def _prove(self, checkout: Checkout, confinement: Confinement) -> Proof:
        """Run the repository's tests, with nothing left of the engine but its patch."""
        self.proving()
        job, log, redact = self.job, self.log, self.redact
        prover = Prover(job.tests, self.tests, confinement, log, redact, self.folder, job.deadline)
        return prover.prove(checkout)
