"""Make a draft pull request of a patch. Nothing here shows feedback to a model."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from soulcaster.edges.bucket import Bucket, TooLarge
from soulcaster.edges.github import FileChange, GitHub, GitHubError
from soulcaster.edges.job_store import Brief, JobStore
from soulcaster.rules.job import object_key
from soulcaster.rules.patch import Patch, PatchRefused, parse_patch
from soulcaster.rules.pull_request import commit_message, pull_request_body, pull_request_title

log = logging.getLogger(__name__)

EVIDENCE = 15


def publish(
    job: str,
    attempt: int,
    *,
    jobs: JobStore,
    bucket: Bucket,
    github: Callable[[], GitHub],
    now: int,
) -> str | None:
    """Check the patch, then open a draft pull request; returns its address.

    None when the attempt is no longer wanted, or ended here (refused, failed). Run twice it
    makes one commit, one branch and one pull request: the branch is named after the job and
    the commit's dates are the job's. Raises ``BucketError``, ``RedisError`` and retryable
    ``GitHubError``.
    """
    brief = jobs.brief(job, EVIDENCE)
    state = brief.job["state"] if brief else ""
    if brief is None or state != "publishing" or brief.job["attempt"] != str(attempt):
        log.info("nothing to publish", extra={"job": job, "attempt": attempt, "state": state})
        return None
    try:
        patch = _patch(brief.job, attempt, bucket)
    except PatchRefused as refused:
        jobs.move(job, attempt, "refused", now, str(refused))
        return None
    try:
        pull = _open(brief, patch, github())
    except PatchRefused as refused:
        jobs.move(job, attempt, "refused", now, str(refused))
        return None
    except GitHubError as error:
        if error.retryable:
            raise
        log.exception("not published", extra={"job": job})
        jobs.move(job, attempt, "failed", now, f"GitHub refused the pull request: {error}"[:500])
        return None
    number, url = pull
    reason = f"draft pull request #{number} is open"
    jobs.move(job, attempt, "pr_open", now, reason, {"pr_url": url, "pr_number": str(number)})
    return url


def _patch(job: Mapping[str, Any], attempt: int, bucket: Bucket) -> Patch:
    """The patch that the task reported, and no other; raises ``PatchRefused``."""
    try:
        stored = bucket.read(object_key(job["id"], attempt, "patch"))
    except TooLarge as error:
        raise PatchRefused(f"the patch is too large: {error}") from error
    if stored is None:
        raise PatchRefused("the task said it had a patch, but there is none")
    # The address that it was uploaded to still works for a while.
    if hashlib.sha256(stored).hexdigest() != job.get("patch_sha256"):
        raise PatchRefused("the patch is not the one that the task reported")
    return parse_patch(stored.decode("utf-8", "replace"))


def _open(brief: Brief, patch: Patch, github: GitHub) -> tuple[int, str]:
    repository, base = brief.project["repository"], brief.project["base"]
    # Only now, after every check, and for this one repository.
    token = github.installation_token(
        repository, {"contents": "write", "pull_requests": "write", "metadata": "read"}
    )
    # A task could name a commit of a fork, whose whole tree would come along unchecked.
    if not github.contains(token, repository, base, patch.base):
        raise PatchRefused(f"the patch is based on a commit that is not in {base}")
    files = [
        FileChange(path=f.path, mode=f.mode, content=f.content, deleted=f.content is None)
        for f in patch.files
    ]
    # The job's own time, so that a second run makes the same commit.
    date = datetime.fromtimestamp(int(brief.job["created"]) // 1000, UTC)
    commit = github.commit_files(
        token,
        repository,
        patch.base,
        files,
        message=commit_message(brief.job, patch),
        author_date=date.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    branch = f"soulcaster/{brief.job['id'].rpartition('_')[2]}"
    github.ensure_branch(token, repository, branch, commit)
    pull = github.ensure_draft_pull(
        token,
        repository,
        branch,
        base=base,
        title=pull_request_title(brief.job),
        body=pull_request_body(brief.cluster, brief.job, patch, brief.feedback, brief.size),
    )
    return pull["number"], pull["url"]
