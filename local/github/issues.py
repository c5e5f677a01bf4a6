"""Issues: opening, changing and listing them."""

import json
from typing import Any

from starlette.responses import JSONResponse, Response

from local.github import shapes
from local.github.call import Call, now_iso, only_fields, parse_iso, text_field
from local.github.hooks import emit
from local.github.refusal import Refused, invalid
from local.github.repositories import local_repository
from local.github.store import Row

_STATES = {"open": ("open",), "closed": ("closed",), "all": ("open", "closed")}
_SORTS = {"created": "created_at", "updated": "updated_at"}


def create(call: Call) -> Response:
    """POST /repos/{owner}/{name}/issues"""
    where = call.repository("issues", "write")
    body = call.body()
    only_fields(body, "title", "body", "labels")
    return _open(call, where, body, call.caller.login, now_iso(), deliver=True)


def load(call: Call) -> Response:
    """POST /_local/issues {"repo", "user", "title", "body"?, "labels"?, "created_at"?, "deliver"?}

    An issue by any author at any time, so that history can be loaded. Webhooks go out as
    for any other issue unless ``deliver`` is false.
    """
    where = local_repository(call)
    body = call.body()
    only_fields(body, "repo", "user", "title", "body", "labels", "created_at", "deliver")
    author = text_field(body, "user", limit=39, required=True) or ""
    created = text_field(body, "created_at")
    at = parse_iso(created, "created_at") if created else now_iso()
    return _open(call, where, body, author, at, deliver=body.get("deliver", True) is True)


def get(call: Call) -> Response:
    """GET /repos/{owner}/{name}/issues/{number}"""
    where = call.repository("issues")
    gone = call.store.one(
        "SELECT moved_to FROM gone WHERE repository_id = ? AND number = ?",
        where["id"],
        call.number("number"),
    )
    if gone and gone["moved_to"]:
        row = reread(call, gone["moved_to"])
        there = repository_of(call, row)
        address = f"{shapes.api(call.base, there)}/issues/{row['number']}"
        raise Refused(301, "Moved Permanently", headers={"Location": address})
    if gone:
        raise Refused(410, "This issue was deleted")
    return JSONResponse(shapes.issue(call.base, where, numbered(call, where)))


def update(call: Call) -> Response:
    """PATCH /repos/{owner}/{name}/issues/{number}: title, body, state, state_reason"""
    where = call.repository("issues", "write")
    row = numbered(call, where)
    if row["is_pull"]:
        raise Refused(501, "not emulated: changing a pull request as an issue")
    body = call.body()
    only_fields(body, "title", "body", "state", "state_reason")
    with call.store.transaction():
        row, changes = edit(call, row)
        if changes:
            announce(call, where, row, "edited", {"changes": changes})
        if body.get("state", row["state"]) not in _STATES["all"]:
            raise invalid("Issue", "state is neither open nor closed", field="state")
        if body.get("state", row["state"]) != row["state"]:
            row = set_state(call, where, row, body["state"], text_field(body, "state_reason"))
    return JSONResponse(shapes.issue(call.base, where, row))


def list_all(call: Call) -> Response:
    """GET /repos/{owner}/{name}/issues: state, since, sort, direction, per_page, page"""
    where = call.repository("issues")
    query = call.request.query_params
    only_fields(dict(query), "state", "since", "sort", "direction", "per_page", "page")
    try:
        states = _STATES[query.get("state", "open")]
        column = _SORTS[query.get("sort", "created")]
        direction = {"asc": "ASC", "desc": "DESC"}[query.get("direction", "desc")]
    except KeyError as error:
        raise invalid("Issue", f"{error} is not a state, sort or direction") from error
    since = parse_iso(query["since"], "since") if "since" in query else ""
    size, page = call.paging()
    rows = call.store.all(
        "SELECT *, count(*) OVER () AS found FROM numbered WHERE repository_id = ?"
        " AND state IN (?, ?) AND updated_at >= ?"
        f" ORDER BY {column} {direction}, number {direction} LIMIT ? OFFSET ?",
        where["id"],
        states[0],
        states[-1],
        since,
        size,
        (page - 1) * size,
    )
    last = -(-rows[0]["found"] // size) if rows else page
    shown = [shapes.issue(call.base, where, row) for row in rows]
    return JSONResponse(shown, headers=call.page_links(page, last))


def numbered(call: Call, where: Row) -> Row:
    """The issue or pull request with the path's number; raises 404."""
    return of_number(call, where, call.number("number"))


def of_number(call: Call, where: Row, number: int) -> Row:
    """The issue or pull request with that number; raises 404."""
    row = call.store.one(
        "SELECT * FROM numbered WHERE repository_id = ? AND number = ?", where["id"], number
    )
    if row is None:
        raise Refused(404, "Not Found")
    return row


def repository_of(call: Call, row: Row) -> Row:
    """The repository of an issue or a pull request."""
    return call.store.get("SELECT * FROM repositories WHERE id = ?", row["repository_id"])


def insert(call: Call, where: Row, fields: dict[str, Any], author: str, at: str) -> Row:
    """A new open issue with the repository's next number; pull requests are numbered too."""
    title = text_field(fields, "title", limit=256, required=True)
    if not title:
        raise invalid("Issue", field="title", code="missing_field")
    labels = fields.get("labels") or []
    if not isinstance(labels, list) or not all(isinstance(name, str) for name in labels):
        raise Refused(422, "Invalid request. 'labels' is not a list of names.")
    last = call.store.get(
        "SELECT coalesce(max(number), 0) AS number FROM"
        " (SELECT repository_id, number FROM issues UNION SELECT repository_id, number FROM gone)"
        " WHERE repository_id = ?",
        where["id"],
    )
    number = call.store.write(
        "INSERT INTO issues (repository_id, number, title, body, author, labels, state,"
        " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 'open', ?, ?)",
        where["id"],
        last["number"] + 1,
        title,
        text_field(fields, "body"),
        author,
        json.dumps(labels),
        at,
        at,
    )
    return reread(call, number)


def edit(call: Call, row: Row) -> tuple[Row, dict[str, Any]]:
    """Apply ``title`` and ``body`` of the request; what they were, where they changed."""
    body = call.body()
    title = text_field(body, "title", limit=256) or row["title"]
    text = text_field(body, "body") if "body" in body else row["body"]
    changed = {"title": title, "body": text}
    changes = {name: {"from": row[name]} for name, value in changed.items() if value != row[name]}
    if not changes:
        return row, {}
    call.store.write(
        "UPDATE issues SET title = ?, body = ?, updated_at = ? WHERE id = ?",
        title,
        text,
        now_iso(),
        row["id"],
    )
    return reread(call, row["id"]), changes


def set_state(call: Call, where: Row, row: Row, state: str, reason: str | None = None) -> Row:
    """Close or reopen an issue; emits ``closed`` or ``reopened``."""
    default = "completed" if state == "closed" else "reopened"
    row = write_state(call, row, state, reason or default)
    announce(call, where, row, "closed" if state == "closed" else "reopened")
    return row


def write_state(call: Call, row: Row, state: str, reason: str | None) -> Row:
    """Record the state of an issue or a pull request; emits nothing."""
    at = now_iso()
    call.store.write(
        "UPDATE issues SET state = ?, state_reason = ?, updated_at = ?, closed_at = ? WHERE id = ?",
        state,
        reason,
        at,
        at if state == "closed" else None,
        row["id"],
    )
    return reread(call, row["id"])


def touch(call: Call, row: Row) -> Row:
    """Record that something about it changed now."""
    call.store.write("UPDATE issues SET updated_at = ? WHERE id = ?", now_iso(), row["id"])
    return reread(call, row["id"])


def reread(call: Call, issue_id: int) -> Row:
    return call.store.get("SELECT * FROM numbered WHERE id = ?", issue_id)


def announce(
    call: Call,
    where: Row,
    row: Row,
    action: str,
    more: dict[str, Any] | None = None,
    sender: str | None = None,
) -> None:
    """Send an ``issues`` event to the hooks that want it; ``more`` goes beside the issue."""
    subject = {"issue": shapes.issue(call.base, where, row), **(more or {})}
    emit(call, where, "issues", action, subject, sender or call.caller.login)


def _open(
    call: Call, where: Row, fields: dict[str, Any], author: str, at: str, *, deliver: bool
) -> Response:
    with call.store.transaction():
        row = insert(call, where, fields, author, at)
        if deliver:
            announce(call, where, row, "opened", sender=author)
    return JSONResponse(shapes.issue(call.base, where, row), 201)
