"""A task ended: what that means for its job."""

from collections.abc import Mapping
from typing import Any

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.queues import Queue
from soulcaster.rules import ids
from soulcaster.use_cases.retry import retry_or_end


def observe(detail: Mapping[str, Any], *, jobs: JobStore, queue: Queue, now: int) -> str | None:
    """Handle the ``detail`` of an "ECS Task State Change"; returns the job's state.

    None for tasks that are not ours and for tasks that have not ended. Events repeat and come
    out of order: only STOPPED matters, it has the highest version and nothing follows it; and a
    job that its task has already brought to an end is no longer in a state that this touches.
    """
    job, _, attempt = str(detail.get("startedBy") or "").partition("/")
    if ids.project_of(job, "job") is None or not attempt.isdecimal():
        return None
    if detail.get("lastStatus") != "STOPPED":
        return None
    reason = str(detail.get("stoppedReason") or "the task ended without a word")
    codes = [c.get("exitCode") for c in detail.get("containers") or () if isinstance(c, dict)]
    exit_code = next((code for code in codes if code), None)
    if exit_code is not None:
        reason = f"{reason} (exit code {exit_code})"
    return retry_or_end(job, int(attempt), reason, jobs=jobs, queue=queue, now=now)
