"""One attempt: confine the engine, clone, let it work, collect the patch."""

from dataclasses import dataclass
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
from soulcaster_agent.process import DeadlinePassedError, StoppedError
from soulcaster_agent.proxy import ModelProxy

NOT_CONFINED = (
    "The engine can't be confined on this machine, so it is not trusted with a real model's key or "
    "a real repository: run the task as root, or install bubblewrap."
)


@dataclass(frozen=True)
class Outcome:
    """How the attempt ended: patch, no_change, refused, failed, timed_out or over_budget."""

    name: str
    reason: str = ""
    summary: str = ""
    patch: Patch | None = None
    patch_sha256: str = ""


@dataclass(frozen=True)
class Attempt:
    """An attempt at a job in an empty ``folder``, which is the caller's to remove."""

    job: Job
    engine: Engine
    log: Log
    conversation: Conversation
    folder: Path

    def run(self) -> Outcome:
        """Work until there is an outcome; raises StoppedError.

        However it ends, nothing that the engine started is running any more.
        """
        if not self.job.model.is_configured:
            return Outcome("failed", "No model is configured.")
        with confine(self.folder, self.engine.programs) as confinement:
            self.log.note(confinement.says)
            if not confinement.holds and not self.job.is_local:
                return Outcome("refused", NOT_CONFINED)
            try:
                return self._work(confinement)
            except DeadlinePassedError:
                return Outcome("timed_out", "The time was over before the work was done.")
            except OSError as error:
                return Outcome("failed", f"The task's file system failed: {error.strerror}.")

    def _work(self, confinement: Confinement) -> Outcome:
        job = self.job
        home = self.folder / "git-home"
        home.mkdir()
        git = Git(home, job.deadline)
        self.log.note(f"Job {job.job_id}, attempt {job.attempt}: cloning {job.repository.base}")
        try:
            checkout = check_out(job.repository, self.folder, git)
        except GitError as error:
            return Outcome("failed", f"The repository could not be cloned: {error}")
        confinement.hand_over(checkout.workdir)
        self.log.note(f"The engine starts on {checkout.base}")
        meter = Meter(job.budget, job.price)
        try:
            result = self._converse(meter, checkout.workdir, confinement)
        finally:
            self.log.note(f"{meter.spent}.")
        if isinstance(result, Outcome):
            return result
        if foreign := confinement.foreign(checkout.workdir):
            return Outcome("failed", f"The engine left a file that is not its own: {foreign}.")
        return self._collect(result, checkout, git)

    def _converse(
        self, meter: Meter, workdir: Path, confinement: Confinement
    ) -> EngineResult | Outcome:
        """Run the engine with the proxy as its model, until nothing of it runs any more."""
        job, stop = self.job, self.engine.stop
        with ModelProxy(job.model, meter, self.conversation, confinement.uid, stop) as proxy:
            model = proxy.given
            try:
                result = self.engine.run(
                    workdir, job.prompt, model, job.deadline, self.log, confinement
                )
            except StoppedError:
                if not proxy.over_budget:
                    raise
                return Outcome("over_budget", proxy.over_budget)
            finally:
                confinement.end()
            # It may have ended by itself before it could be stopped.
            return Outcome("over_budget", proxy.over_budget) if proxy.over_budget else result

    def _collect(self, result: EngineResult, checkout: Checkout, git: Git) -> Outcome:
        """Turn what the engine left in the clone into an outcome."""
        if not result.ok:
            return Outcome("failed", result.reason, result.summary)
        try:
            patch = make_patch(checkout, git)
        except (PatchError, GitError) as error:
            return Outcome("failed", f"The patch could not be made: {error}", result.summary)
        for complaint in git.complaints:
            self.log.note(f"Not in the patch: {complaint}")
        if not patch.files:
            reason = "The engine ended without changing a file."
            return Outcome("no_change", reason, result.summary)
        self.log.note(f"{len(patch.files)} files changed")
        return Outcome("patch", "", result.summary, patch)
