"""The API's calls about pull requests, but for merging."""

from typing import Any

from starlette.responses import JSONResponse, Response

from local.github import issues
from local.github.call import LARGEST, Call, now_iso, only_fields, text_field
from local.github.diffs import FileDiff
from local.github.pull import (
    announce,
    brief,
    from_path,
    in_repository,
    make_ready,
    of_row,
    select,
    set_state,
    shape,
)
from local.github.refusal import Refused, invalid
from local.github.repositories import local_repository


def create(call: Call) -> Response:
    """POST /repos/{owner}/{name}/pulls {"title", "head", "base", "body"?, "draft"?}"""
    where = call.repository("pull_requests", "write")
    body = call.body()
    only_fields(body, "title", "head", "base", "body", "draft")
    owner = where["full_name"].split("/")[0]
    head = (text_field(body, "head", required=True) or "").removeprefix(f"{owner}:")
    base = text_field(body, "base", required=True) or ""
    git = call.forge.git(where)
    head_sha, base_sha = git.branch(head), git.branch(base)
    if not head_sha:
        raise invalid("PullRequest", field="head", code="invalid")
    if not base_sha:
        raise invalid("PullRequest", field="base", code="invalid")
    with call.store.transaction():
        if select(call, where, "state = 'open' AND head = ? AND base = ?", head, base):
            raise invalid("PullRequest", f"A pull request already exists for {owner}:{head}.")
        if git.is_ancestor(head_sha, base_sha):
            raise invalid("PullRequest", f"No commits between {base} and {head}")
        words = {"title": body.get("title"), "body": body.get("body")}
        row = issues.insert(call, where, words, call.caller.login, now_iso())
        call.store.write(
            "INSERT INTO pulls (issue_id, head, base, draft, head_sha, base_sha)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            row["id"],
            head,
            base,
            body.get("draft") is True,
            head_sha,
            base_sha,
        )
        pull = of_row(call, where, issues.reread(call, row["id"]))
        announce(call, pull, "opened")
    return JSONResponse(shape(call, pull), 201)


def list_all(call: Call) -> Response:
    """GET /repos/{owner}/{name}/pulls: state, head, base, per_page, page; newest first"""
    where = call.repository("pull_requests")
    query = call.request.query_params
    only_fields(dict(query), "state", "head", "base", "per_page", "page")
    conditions, values = ["1"], list[Any]()
    if query.get("state") != "all":
        conditions.append("state = ?")
        values.append(query.get("state", "open"))
    owner, colon, branch = query.get("head", "").partition(":")
    if colon:  # GitHub ignores a head that isn't owner:branch
        conditions.append("head = ? AND ?")
        values += [branch, owner.lower() == where["full_name"].split("/")[0].lower()]
    if "base" in query:
        conditions.append("base = ?")
        values.append(query["base"])
    rows = select(call, where, " AND ".join(conditions), *values)
    size, page = call.paging()
    shown = [brief(call, of_row(call, where, row)) for row in rows[(page - 1) * size : page * size]]
    return JSONResponse(shown, headers=call.page_links(page, -(-len(rows) // size)))


def get(call: Call) -> Response:
    """GET /repos/{owner}/{name}/pulls/{number}"""
    return JSONResponse(shape(call, from_path(call, "read")))


def update(call: Call) -> Response:
    """PATCH /repos/{owner}/{name}/pulls/{number}: title, body, state"""
    pull = from_path(call, "write")
    body = call.body()
    only_fields(body, "title", "body", "state")
    with call.store.transaction():
        row, changes = issues.edit(call, pull.row)
        pull = of_row(call, pull.where, row)
        if changes:
            announce(call, pull, "edited", {"changes": changes})
        state = body.get("state", row["state"])
        if state not in ("open", "closed"):
            raise invalid("PullRequest", "state is neither open nor closed", field="state")
        if state != row["state"]:
            pull = set_state(call, pull, state)
    return JSONResponse(shape(call, pull))


def files(call: Call) -> Response:
    """GET /repos/{owner}/{name}/pulls/{number}/files"""
    return JSONResponse([_file(diff) for diff in from_path(call, "read").files()])


def ready(call: Call) -> Response:
    """POST /_local/pulls/ready {"repo", "number"}: GitHub has only a GraphQL mutation for it"""
    where = local_repository(call)
    number = call.body().get("number")
    if not isinstance(number, int) or not 0 < number < LARGEST:
        raise Refused(422, "Invalid request. 'number' is not a number.")
    pull = in_repository(call, where, number)
    return JSONResponse(shape(call, make_ready(call, pull)))


def _file(diff: FileDiff) -> dict[str, Any]:
    shown = {
        "sha": diff.sha,
        "filename": diff.path,
        "status": diff.status,
        "additions": diff.additions,
        "deletions": diff.deletions,
        "changes": diff.additions + diff.deletions,
    }
    if diff.patch:
        shown["patch"] = diff.patch
    if diff.status == "renamed":
        shown["previous_filename"] = diff.before
    return shown
