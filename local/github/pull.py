"""One pull request: what it is about, how it is shown, and the states it passes through."""

from dataclasses import dataclass
from typing import Any

from local.github import issues, shapes
from local.github.call import Call
from local.github.diffs import FileDiff, changed_files
from local.github.git import CommitLine, Git
from local.github.hooks import emit
from local.github.refusal import Refused, invalid
from local.github.store import Row


@dataclass(frozen=True)
class Pull:
    """A pull request and the commits it is about: the branches' own while it is open."""

    where: Row
    row: Row
    git: Git
    head_sha: str
    base_sha: str

    def files(self) -> list[FileDiff]:
        return changed_files(self.git, self.base_sha, self.head_sha)

    def commits(self) -> list[CommitLine]:
        """Oldest first, as GitHub lists them."""
        return self.git.log(f"{self.base_sha}..{self.head_sha}")[::-1]

    def mergeable(self) -> bool | None:
        """None for one that is closed."""
        if self.row["state"] == "closed":
            return None
        return self.git.merge_tree(self.base_sha, self.head_sha) is not None


def of_row(call: Call, where: Row, row: Row) -> Pull:
    git = call.forge.git(where)
    head, base = row["head_sha"], row["base_sha"]
    if row["state"] == "open":
        head, base = git.branch(row["head"]) or head, git.branch(row["base"]) or base
    return Pull(where, row, git, head, base)


def from_path(call: Call, level: str) -> Pull:
    """The pull request that the path names, if the caller may; raises 403 or 404."""
    return in_repository(call, call.repository("pull_requests", level), call.number("number"))


def in_repository(call: Call, where: Row, number: int) -> Pull:
    """Raises 404."""
    rows = select(call, where, "number = ?", number)
    if not rows:
        raise Refused(404, "Not Found")
    return of_row(call, where, rows[0])


def select(call: Call, where: Row, condition: str, *values: Any) -> list[Row]:
    """Pull requests of a repository, newest first."""
    return call.store.all(
        f"SELECT * FROM numbered WHERE is_pull AND repository_id = ? AND {condition}"
        " ORDER BY number DESC",
        where["id"],
        *values,
    )


def announce(call: Call, pull: Pull, action: str, more: dict[str, Any] | None = None) -> None:
    """Send a ``pull_request`` event to the hooks that want it."""
    subject = {"number": pull.row["number"], "pull_request": shape(call, pull), **(more or {})}
    emit(call, pull.where, "pull_request", action, subject, call.caller.login)


def set_state(call: Call, pull: Pull, state: str) -> Pull:
    """Close or reopen it, unmerged."""
    with call.store.transaction():
        if state == "open" and (pull.row["merged_at"] or not pull.git.branch(pull.row["head"])):
            raise invalid("PullRequest", "state cannot be changed.", field="state")
        if state == "closed":
            freeze(call, pull)
        pull = of_row(call, pull.where, issues.write_state(call, pull.row, state, None))
        announce(call, pull, "closed" if state == "closed" else "reopened")
    return pull


def freeze(call: Call, pull: Pull) -> None:
    """Keep what it is about now, whatever the branches do after it is closed."""
    call.store.write(
        "UPDATE pulls SET head_sha = ?, base_sha = ? WHERE issue_id = ?",
        pull.head_sha,
        pull.base_sha,
        pull.row["id"],
    )


def make_ready(call: Call, pull: Pull) -> Pull:
    """End its being a draft."""
    if not pull.row["draft"]:
        return pull
    with call.store.transaction():
        call.store.write("UPDATE pulls SET draft = 0 WHERE issue_id = ?", pull.row["id"])
        pull = of_row(call, pull.where, issues.touch(call, pull.row))
        announce(call, pull, "ready_for_review")
    return pull


def brief(call: Call, pull: Pull) -> dict[str, Any]:
    """As a list shows it."""
    row, where = pull.row, pull.where
    as_issue = shapes.issue(call.base, where, row)
    for only_issues_have in ("pull_request", "repository_url", "state_reason"):
        del as_issue[only_issues_have]
    return {
        **as_issue,
        "node_id": f"PR_{row['id']}",
        "url": f"{shapes.api(call.base, where)}/pulls/{row['number']}",
        "draft": bool(row["draft"]),
        "head": _end(call, where, row["head"], pull.head_sha),
        "base": _end(call, where, row["base"], pull.base_sha),
        "merged_at": row["merged_at"],
        "merge_commit_sha": row["merge_sha"],
    }


def shape(call: Call, pull: Pull) -> dict[str, Any]:
    """As it is shown alone, and in a webhook."""
    diffs = pull.files()
    merged_by = pull.row["merged_by"]
    return {
        **brief(call, pull),
        "merged": bool(pull.row["merged_at"]),
        "merged_by": shapes.user(merged_by) if merged_by else None,
        "mergeable": pull.mergeable(),
        "commits": len(pull.commits()),
        "additions": sum(diff.additions for diff in diffs),
        "deletions": sum(diff.deletions for diff in diffs),
        "changed_files": len(diffs),
    }


def _end(call: Call, where: Row, branch: str, sha: str) -> dict[str, Any]:
    owner = where["full_name"].split("/")[0]
    return {
        "label": f"{owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": shapes.user(owner),
        "repo": shapes.repository(call.base, where),
    }
