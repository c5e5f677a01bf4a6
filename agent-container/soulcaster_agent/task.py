"""One attempt at a fix, from the claimed job to the report."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from soulcaster_agent.api import Api, RefusedError, UnreachableError
from soulcaster_agent.checkout import Checkout, check_out
from soulcaster_agent.engine import Engine
from soulcaster_agent.git import Git, GitError
from soulcaster_agent.heartbeat import Heartbeat
from soulcaster_agent.job import Job
from soulcaster_agent.log import Log
from soulcaster_agent.patch import Patch, PatchError, make_patch
from soulcaster_agent.process import DeadlinePassedError, StoppedError
from soulcaster_agent.redact import Redactor

MOST_REASON = 1_000
MOST_SUMMARY = 4_000


@dataclass(frozen=True)
class Outcome:
    """How the attempt ended: patch, no_change, failed or timed_out."""

    name: str
    reason: str = ""
    summary: str = ""
    patch: Patch | None = None
    patch_sha256: str = ""


def run_task(job: Job, api: Api, engine: Engine, log: Log, redact: Redactor) -> None:
    """Work on the job and report; raises StoppedError when the attempt is stale.

    UnreachableError and RefusedError mean that the report did not arrive.
    """
    with Heartbeat(api, job.heartbeat_seconds, engine.stop, log) as heart:
        with tempfile.TemporaryDirectory(
            prefix="soulcaster-", ignore_cleanup_errors=True
        ) as folder:
            outcome = attempt(job, engine, log, Path(folder))
        if heart.stale:
            raise StoppedError("a heartbeat was refused")
        outcome = hand_in(outcome, job, api, log, redact)
        log.note(f"Outcome: {outcome.name}. {outcome.reason}")
        try:
            api.upload(job.log_url, log.text().encode())
        except (RefusedError, UnreachableError) as error:
            log.note(f"The log could not be stored: {error}")
        api.finish(outcome.name, outcome.reason, outcome.summary, outcome.patch_sha256)


def attempt(job: Job, engine: Engine, log: Log, folder: Path) -> Outcome:
    """Clone, let the engine work, and collect the patch."""
    if not job.model.is_configured:
        return Outcome("failed", "No model is configured.")
    home = folder / "git-home"
    home.mkdir()
    git = Git(home, job.deadline)
    log.note(f"Job {job.job_id}, attempt {job.attempt}: cloning {job.repository.base}")
    try:
        checkout = check_out(job.repository, folder, git)
        log.note(f"The engine starts on {checkout.base}")
        return work(job, engine, log, checkout, git)
    except GitError as error:
        return Outcome("failed", f"The repository could not be cloned: {error}")
    except DeadlinePassedError:
        return Outcome("timed_out", "The time was over before the work was done.")
    except OSError as error:
        return Outcome("failed", f"The task's file system failed: {error.strerror}.")


def work(job: Job, engine: Engine, log: Log, checkout: Checkout, git: Git) -> Outcome:
    """Run the engine in the clone and turn what it leaves there into an outcome."""
    result = engine.run(checkout.workdir, job.prompt, job.model, job.deadline, log)
    if not result.ok:
        return Outcome("failed", result.reason, result.summary)
    try:
        patch = make_patch(checkout, git)
    except (PatchError, GitError) as error:
        return Outcome("failed", f"The patch could not be made: {error}", result.summary)
    for complaint in git.complaints:
        log.note(f"Not in the patch: {complaint}")
    if not patch.files:
        return Outcome("no_change", "The engine ended without changing a file.", result.summary)
    log.note(f"{len(patch.files)} files changed")
    return Outcome("patch", "", result.summary, patch)


def hand_in(outcome: Outcome, job: Job, api: Api, log: Log, redact: Redactor) -> Outcome:
    """Store the patch, if there is one; return the outcome as it is to be reported."""
    reason = redact(outcome.reason)[:MOST_REASON]
    summary = redact(outcome.summary)[:MOST_SUMMARY]
    if outcome.patch is None:
        return Outcome(outcome.name, reason, summary)
    content = outcome.patch.to_json(summary)
    try:
        api.upload(job.patch_url, content)
    except (RefusedError, UnreachableError) as error:
        log.note(f"The patch could not be stored: {error}")
        return Outcome("failed", "The patch could not be stored.", summary)
    digest = hashlib.sha256(content).hexdigest()
    return Outcome(outcome.name, reason, summary, outcome.patch, digest)
