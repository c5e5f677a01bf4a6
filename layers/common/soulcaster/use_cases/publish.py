"""Make a draft pull request of a patch. Nothing here shows feedback to a model."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from soulcaster.edges.bucket import Bucket, TooLarge
from soulcaster.edges.github import DraftPull, FileChange, GitHub, GitHubError
from soulcaster.edges.job_store import Brief, JobStore
from soulcaster.edges.plan_store import plan_in
from soulcaster.rules.job import Cause, object_key
from soulcaster.rules.patch import MAX_BYTES, MAX_FILES, Patch, PatchRefused, parse_patch
from soulcaster.rules.project import Project, Verdict
from soulcaster.rules.proof import Proof, ProofUnreadable, parse_proof
from soulcaster.rules.pull_news import version
from soulcaster.rules.pull_request import (
    REPORTS,
    VERDICTS,
    Evidence,
    commit_message,
    pull_request_body,
    pull_request_title,
)

log = logging.getLogger(__name__)


class _Refused(Exception):  # noqa: N818 - an outcome with a name
    """It must not become a pull request; the message says why, for people."""

    def __init__(self, reason: str, cause: Cause) -> None:
        super().__init__(reason)
        self.cause = cause


class _Unwanted(Exception):  # noqa: N818 - an outcome with a name
    """The job was cancelled or has moved on meanwhile."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """What has passed every check that can be made without GitHub."""

    patch: Patch
    proof: Proof | None
    repository: str
    base: str


def publish(
    job: str,
    attempt: int,
    *,
    jobs: JobStore,
    bucket: Bucket,
    github: Callable[[], GitHub],
    now: int,
) -> str | None:
    """Check the patch and its proof, then open a draft pull request; returns its address.

    None when the attempt is no longer wanted, or ended here (refused, failed). Run twice it
    makes one commit, one branch and one pull request: the branch is named after the job, and the
    commit's title and dates are the job's. Before anything is written to GitHub the job says so
    (``opening``); from then on nobody can cancel it. Raises ``BucketError``, ``RedisError`` and
    retryable ``GitHubError``.
    """
    brief = jobs.brief(job, REPORTS)
    state = brief.job["state"] if brief else ""
    if brief is None or state != "publishing" or brief.job["attempt"] != str(attempt):
        log.info("nothing to publish", extra={"job": job, "attempt": attempt, "state": state})
        return None
    try:
        checked = _checked(brief, attempt, bucket)
        pull = _Opening(jobs, brief, checked, now).open(github())
    except _Refused as refused:
        jobs.move(job, attempt, "refused", now, str(refused), {"cause": refused.cause})
        return None
    except _Unwanted:
        log.info("no longer wanted", extra={"job": job, "attempt": attempt})
        return None
    except GitHubError as error:
        if error.retryable:
            raise
        log.exception("not published", extra={"job": job})
        reason = f"GitHub refused the pull request: {error}"[:500]
        jobs.move(job, attempt, "failed", now, reason, {"cause": "github"})
        return None
    fields = {
        "cause": "pr_open",
        "commit": pull["head"],
        "pr_url": pull["url"],
        "pr_number": str(pull["number"]),
        "pr_state": pull["state"],
        "pr_draft": "1" if pull["draft"] else "0",
        "pr_version": str(version(pull["at"], pull["state"], draft=pull["draft"])),
    }
    kind = "draft pull request" if pull["draft"] else "pull request"
    reason = f"{kind} #{pull['number']} is {pull['state']}"
    jobs.move(job, attempt, "pr_open", now, reason, fields)
    return pull["url"]


def _checked(brief: Brief, attempt: int, bucket: Bucket) -> _Checked:
    """Raises ``_Refused`` and ``BucketError``."""
    project = _settings(brief)
    patch = _patch(brief, attempt, bucket, project)
    proof = _proof(brief, attempt, bucket)
    verdict: Verdict = proof.verdict if proof else "no_tests"
    if verdict not in project.publishes:
        said = VERDICTS[verdict]
        raise _Refused(f"{said} The project's settings do not let that be published.", verdict)
    # As they were when the fix was asked for: the settings may have changed since.
    repository = brief.job.get("repository") or project.repository
    return _Checked(patch, proof, repository, brief.job.get("base") or project.base)


def _settings(brief: Brief) -> Project:
    """The project's; once it is being opened they were asked, and a stricter one comes too late."""
    project = Project(**brief.project)
    if not brief.job.get("opening"):
        return project
    everything = tuple(VERDICTS)
    return replace(project, publishes=everything, patch_files=MAX_FILES, patch_bytes=MAX_BYTES)


def _patch(brief: Brief, attempt: int, bucket: Bucket, project: Project) -> Patch:
    """The patch that the task reported, and no other; raises ``_Refused``."""
    text = _reported(brief, attempt, bucket, "patch")
    try:
        return parse_patch(text, files_limit=project.patch_files, bytes_limit=project.patch_bytes)
    except PatchRefused as refused:
        raise _Refused(str(refused), "patch") from refused


def _proof(brief: Brief, attempt: int, bucket: Bucket) -> Proof | None:
    """The proof that the task reported; None where it said that there were no tests to run.

    Raises ``_Refused``, also when it is not the proof of the verdict that was reported.
    """
    verdict = brief.job.get("verdict") or "no_tests"
    if not brief.job.get("proof_sha256") and verdict == "no_tests":
        return None
    try:
        proof = parse_proof(_reported(brief, attempt, bucket, "proof"))
    except ProofUnreadable as unreadable:
        raise _Refused(str(unreadable), "patch") from unreadable
    if proof.verdict != verdict:
        raise _Refused("the proof is not of the verdict that the task reported", "patch")
    return proof


def _reported(brief: Brief, attempt: int, bucket: Bucket, name: str) -> str:
    """An object of the attempt, pinned by the hash that the task reported."""
    try:
        stored = bucket.read(object_key(brief.job["id"], attempt, name))
    except TooLarge as error:
        raise _Refused(f"the {name} is too large: {error}", "patch") from error
    if stored is None:
        raise _Refused(f"the task said it had a {name}, but there is none", "patch")
    # The address that it was uploaded to still works for a while.
    if hashlib.sha256(stored).hexdigest() != brief.job.get(f"{name}_sha256"):
        raise _Refused(f"the {name} is not the one that the task reported", "patch")
    return stored.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Opening:
    """The part that needs GitHub."""

    jobs: JobStore
    brief: Brief
    checked: _Checked
    now: int

    def open(self, github: GitHub) -> DraftPull:
        """The pull request; raises ``_Refused``, ``_Unwanted`` and ``GitHubError``."""
        job, repository, patch = self.brief.job, self.checked.repository, self.checked.patch
        branch = f"soulcaster/{job['id'].rpartition('_')[2]}"
        # Only now, after every check, and for this one repository.
        token = github.installation_token(
            repository, {"contents": "write", "pull_requests": "write", "metadata": "read"}
        )
        # An earlier run may have come as far, and people may have gone on from there.
        found = github.pull_of(token, repository, branch) if job.get("opening") else None
        if found:
            return found
        # A task could name a commit of a fork, whose whole tree would come along unchecked.
        if not github.contains(token, repository, self.checked.base, patch.base):
            reason = f"the patch is based on a commit that is not in {self.checked.base}"
            raise _Refused(reason, "patch")
        title = self._title(github, token)
        fields = {"opening": "1", "pr_title": title}
        if not self.jobs.touch(job["id"], int(job["attempt"]), ("publishing",), fields=fields):
            raise _Unwanted
        github.ensure_branch(token, repository, branch, self._commit(github, token, title))
        return github.ensure_draft_pull(
            token, repository, branch, base=self.checked.base, title=title, body=self._body()
        )

    def _commit(self, github: GitHub, token: str, title: str) -> str:
        job, patch = self.brief.job, self.checked.patch
        # The job's own time, so that a second run makes the same commit.
        date = datetime.fromtimestamp(int(job["created"]) // 1000, UTC)
        files = [
            FileChange(path=f.path, mode=f.mode, content=f.content, deleted=f.content is None)
            for f in patch.files
        ]
        return github.commit_files(
            token,
            self.checked.repository,
            patch.base,
            files,
            message=commit_message(title, job, patch),
            author_date=date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    def _title(self, github: GitHub, token: str) -> str:
        """The one that an earlier run chose, or else its repository would get a second commit."""
        chosen: str | None = self.brief.job.get("pr_title")
        if chosen:
            return chosen
        checked = self.checked
        recent = github.subjects(token, checked.repository, checked.patch.base)
        return pull_request_title(self.brief.job, recent)

    def _body(self) -> str:
        brief, checked = self.brief, self.checked
        evidence = Evidence(brief.feedback, brief.size, int(brief.job.get("claimed_at") or 0))
        summary = str(brief.cluster.get("summary") or brief.cluster.get("name") or "")
        problem = plan_in(brief.plan).problem if brief.plan else summary
        return pull_request_body(
            brief.job, checked.repository, problem, checked.patch, checked.proof, evidence
        )
