"""Merging a pull request, and closing the issues that it says it fixes."""

import re

from starlette.responses import JSONResponse, Response

from local.github import issues
from local.github.call import Call, now_iso, only_fields, text_field
from local.github.git import GitError, Person
from local.github.pull import Pull, announce, freeze, from_path, of_row
from local.github.refusal import Refused

_CLOSES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? +#(\d{1,9})\b", re.IGNORECASE)


def endpoint(call: Call) -> Response:
    """PUT /repos/{owner}/{name}/pulls/{number}/merge: commit_title, commit_message, sha"""
    call.repository("contents", "write")
    pull = from_path(call, "write")
    body = call.body()
    only_fields(body, "commit_title", "commit_message", "sha", "merge_method")
    if body.get("merge_method", "merge") != "merge":
        raise Refused(501, "not emulated: squash and rebase")
    if text_field(body, "sha") not in (None, pull.head_sha):
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    title, message = text_field(body, "commit_title"), text_field(body, "commit_message")
    merged = merge(call, pull, title, message)
    answer = {
        "sha": merged.row["merge_sha"],
        "merged": True,
        "message": "Pull Request successfully merged",
    }
    return JSONResponse(answer)


def merge(call: Call, pull: Pull, title: str | None = None, message: str | None = None) -> Pull:
    """Put a merge commit on the base branch and close the pull request.

    Raises 405 for a draft, one that is closed, or one in conflict with its base.
    """
    row, where = pull.row, pull.where
    if row["draft"]:
        raise Refused(405, "Pull Request is still a draft")
    with call.store.transaction():
        tree = None
        if row["state"] == "open":
            tree = pull.git.merge_tree(pull.base_sha, pull.head_sha)
        if tree is None:
            raise Refused(405, "Pull Request is not mergeable")
        owner = where["full_name"].split("/")[0]
        title = title or f"Merge pull request #{row['number']} from {owner}/{row['head']}"
        login = call.caller.login
        person = Person(login, f"{login}@users.noreply.example", now_iso())
        text = f"{title}\n\n{message or row['title']}\n"
        sha = pull.git.commit(tree, [pull.base_sha, pull.head_sha], text, person, person)
        try:
            pull.git.update_ref(f"refs/heads/{row['base']}", sha, pull.base_sha)
        except GitError as error:
            raise Refused(409, "Base branch was modified. Review and try the merge again.") from (
                error
            )
        freeze(call, pull)
        call.store.write(
            "UPDATE pulls SET merged_at = ?, merged_by = ?, merge_sha = ? WHERE issue_id = ?",
            now_iso(),
            login,
            sha,
            row["id"],
        )
        merged = of_row(call, where, issues.write_state(call, row, "closed", None))
        announce(call, merged, "closed")
        if row["base"] == where["default_branch"]:
            _close_issues(call, merged)
    return merged


def _close_issues(call: Call, pull: Pull) -> None:
    numbers = dict.fromkeys(int(found) for found in _CLOSES.findall(pull.row["body"] or ""))
    for number in numbers:
        row = call.store.one(
            "SELECT * FROM numbered WHERE repository_id = ? AND number = ? AND state = 'open'"
            " AND NOT is_pull",
            pull.where["id"],
            number,
        )
        if row:
            issues.set_state(call, pull.where, row, "closed")
