"""Suites of checks: the emulator runs none, so it is told how one ended and delivers that."""

import zlib
from typing import Any

from starlette.responses import JSONResponse, Response

from local.github import pull, shapes
from local.github.call import Call, now_iso, only_fields, text_field
from local.github.hooks import emit
from local.github.pull import Pull
from local.github.refusal import Refused, invalid
from local.github.repositories import local_repository
from local.github.store import Row

CONCLUSIONS = (
    *("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"),
    *("startup_failure", "stale"),
)


def complete(call: Call) -> Response:
    """POST /_local/checks {"repo", "sha", "conclusion", "app"?}: a suite of ``app`` has ended.

    An app has one suite for a commit, so telling it again is what a second run of it says.
    """
    where = local_repository(call)
    body = call.body()
    only_fields(body, "repo", "sha", "conclusion", "app")
    sha = text_field(body, "sha", limit=64, required=True) or ""
    app = text_field(body, "app", limit=60) or "ci"
    if body.get("conclusion") not in CONCLUSIONS:
        raise invalid("CheckSuite", "is no conclusion", field="conclusion")
    git = call.forge.git(where)
    if not git.has(sha, "commit"):
        raise Refused(422, f"No commit found for SHA: {sha}")
    found = [pull.of_row(call, where, row) for row in pull.select(call, where, "state = 'open'")]
    pulls = [each for each in found if each.head_sha == sha]
    suite = _suite(call, where, sha, app, str(body["conclusion"]), pulls)
    emit(call, where, "check_suite", "completed", {"check_suite": suite}, app)
    return JSONResponse(suite, 201)


def _suite(
    call: Call, where: Row, sha: str, app: str, conclusion: str, pulls: list[Pull]
) -> dict[str, Any]:
    number = zlib.crc32(f"{where['id']} {app} {sha}".encode())
    url = f"{shapes.api(call.base, where)}/check-suites/{number}"
    return {
        "id": number,
        "node_id": f"CS_{number}",
        "head_branch": pulls[0].row["head"] if pulls else None,
        "head_sha": sha,
        "status": "completed",
        "conclusion": conclusion,
        "url": url,
        "before": None,
        "after": sha,
        "pull_requests": [_named(call, where, each) for each in pulls],
        "app": {"id": zlib.crc32(app.encode()), "slug": app, "name": app},
        "created_at": now_iso(),
        "updated_at": now_iso(),
        "rerequestable": True,
        "latest_check_runs_count": 1,
        "check_runs_url": f"{url}/check-runs",
        "head_commit": {"id": sha},
    }


def _named(call: Call, where: Row, found: Pull) -> dict[str, Any]:
    """A pull request as a suite names it: which one it is, and little else."""
    repository = {"id": where["id"], "url": shapes.api(call.base, where)}
    repository["name"] = where["full_name"].split("/")[1]
    row = found.row
    return {
        "url": f"{shapes.api(call.base, where)}/pulls/{row['number']}",
        "id": row["id"],
        "number": row["number"],
        "head": {"ref": row["head"], "sha": found.head_sha, "repo": repository},
        "base": {"ref": row["base"], "sha": found.base_sha, "repo": repository},
    }
