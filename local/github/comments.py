"""Comments on issues and pull requests: writing, changing and listing them."""

from typing import Any

from starlette.responses import JSONResponse, Response

from local.github import issues, shapes
from local.github.call import Call, now_iso, only_fields, parse_iso, text_field
from local.github.hooks import emit
from local.github.refusal import Refused, invalid
from local.github.repositories import local_repository
from local.github.store import Row

_SORTS = {"created": "created_at", "updated": "updated_at"}
_ASSOCIATIONS = (
    *("COLLABORATOR", "CONTRIBUTOR", "FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN"),
    *("MEMBER", "NONE", "OWNER"),
)


def create(call: Call) -> Response:
    """POST /repos/{owner}/{name}/issues/{number}/comments {"body"}"""
    where = call.repository("issues", "write")
    body = call.body()
    only_fields(body, "body")
    author = call.caller.login
    # Whoever has the person's token may do everything there.
    member = "MEMBER" if call.caller.kind == "person" else shapes.association(where, author)
    issue = issues.numbered(call, where)
    return _add(call, where, issue, author, member, now_iso(), deliver=True)


def load(call: Call) -> Response:
    """POST /_local/comments {"repo", "number", "user", "body", "author_association"?,
    "created_at"?, "deliver"?}

    A comment by anybody at any time; see ``issues.load``.
    """
    where = local_repository(call)
    body = call.body()
    known = ("repo", "number", "user", "body", "author_association", "created_at", "deliver")
    only_fields(body, *known)
    author = text_field(body, "user", limit=39, required=True) or ""
    association = body.get("author_association", shapes.association(where, author))
    if association not in _ASSOCIATIONS:
        raise invalid("IssueComment", "is no association", field="author_association")
    created = text_field(body, "created_at")
    at = parse_iso(created, "created_at") if created else now_iso()
    issue = issues.of_number(call, where, number_field(body))
    deliver = body.get("deliver", True) is True
    return _add(call, where, issue, author, association, at, deliver=deliver)


def list_below(call: Call) -> Response:
    """GET /repos/{owner}/{name}/issues/{number}/comments: since, per_page, page; oldest first"""
    where = call.repository("issues")
    only_fields(dict(call.request.query_params), "since", "per_page", "page")
    issue = issues.numbered(call, where)
    return _list(call, where, "issue_id = ?", issue["id"], "id ASC")


def list_all(call: Call) -> Response:
    """GET /repos/{owner}/{name}/issues/comments: since, sort, direction, per_page, page"""
    where = call.repository("issues")
    query = call.request.query_params
    only_fields(dict(query), "since", "sort", "direction", "per_page", "page")
    order = "id ASC"
    if "sort" in query:
        try:
            column = _SORTS[query["sort"]]
            direction = {"asc": "ASC", "desc": "DESC"}[query.get("direction", "desc")]
        except KeyError as error:
            raise invalid("IssueComment", f"{error} is not a sort or direction") from error
        order = f"{column} {direction}, id {direction}"
    below = "issue_id IN (SELECT id FROM issues WHERE repository_id = ?)"
    return _list(call, where, below, where["id"], order)


def get(call: Call) -> Response:
    """GET /repos/{owner}/{name}/issues/comments/{comment}"""
    where = call.repository("issues")
    return JSONResponse(_shape(call, where, _find(call, where)))


def update(call: Call) -> Response:
    """PATCH /repos/{owner}/{name}/issues/comments/{comment} {"body"}"""
    where = call.repository("issues", "write")
    row = _find(call, where)
    body = call.body()
    only_fields(body, "body")
    text = _text(body)
    with call.store.transaction():
        if text != row["body"]:
            at = now_iso()
            call.store.write(
                "UPDATE comments SET body = ?, updated_at = ? WHERE id = ?", text, at, row["id"]
            )
            changes = {"changes": {"body": {"from": row["body"]}}}
            row = _find(call, where)
            _announce(call, where, row, "edited", call.caller.login, changes)
    return JSONResponse(_shape(call, where, row))


def delete(call: Call) -> Response:
    """DELETE /repos/{owner}/{name}/issues/comments/{comment}"""
    where = call.repository("issues", "write")
    row = _find(call, where)
    with call.store.transaction():
        call.store.write("DELETE FROM comments WHERE id = ?", row["id"])
        _announce(call, where, row, "deleted", call.caller.login)
    return Response(status_code=204)


def below(call: Call, issue: Row) -> list[Row]:
    """What was said about an issue, oldest first."""
    return call.store.all("SELECT * FROM comments WHERE issue_id = ? ORDER BY id", issue["id"])


def number_field(body: dict[str, Any]) -> int:
    """The ``number`` of an issue in the body of a local-only request; raises 422."""
    number = body.get("number")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**31:
        raise Refused(422, "Invalid request. 'number' is not a number.")
    return number


def _add(
    call: Call, where: Row, issue: Row, author: str, association: str, at: str, *, deliver: bool
) -> Response:
    text = _text(call.body())
    with call.store.transaction():
        number = call.store.write(
            "INSERT INTO comments (issue_id, body, author, association, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(issue["id"], text, author, association, at, at),
        )
        call.store.write(
            "UPDATE issues SET updated_at = max(updated_at, ?) WHERE id = ?", at, issue["id"]
        )
        row = call.store.get("SELECT * FROM comments WHERE id = ?", number)
        if deliver:
            _announce(call, where, row, "created", author)
    return JSONResponse(_shape(call, where, row), 201)


def _list(call: Call, where: Row, below: str, value: int, order: str) -> Response:
    query = call.request.query_params
    since = parse_iso(query["since"], "since") if "since" in query else ""
    size, page = call.paging()
    rows = call.store.all(
        f"SELECT *, count(*) OVER () AS found FROM comments WHERE {below} AND updated_at >= ?"
        f" ORDER BY {order} LIMIT ? OFFSET ?",
        *(value, since, size, (page - 1) * size),
    )
    last = -(-rows[0]["found"] // size) if rows else page
    shown = [_shape(call, where, row) for row in rows]
    return JSONResponse(shown, headers=call.page_links(page, last))


def _find(call: Call, where: Row) -> Row:
    row = call.store.one(
        "SELECT comments.* FROM comments JOIN issues ON issues.id = issue_id"
        " WHERE comments.id = ? AND repository_id = ?",
        call.number("comment"),
        where["id"],
    )
    if row is None:
        raise Refused(404, "Not Found")
    return row


def _text(body: dict[str, Any]) -> str:
    text = text_field(body, "body", required=True)
    if not text:
        raise invalid("IssueComment", field="body", code="missing_field")
    return text


def _shape(call: Call, where: Row, row: Row) -> dict[str, Any]:
    return shapes.comment(call.base, where, issues.reread(call, row["issue_id"]), row)


def _announce(
    call: Call,
    where: Row,
    row: Row,
    action: str,
    sender: str,
    more: dict[str, Any] | None = None,
) -> None:
    issue = issues.reread(call, row["issue_id"])
    subject = {
        "issue": shapes.issue(call.base, where, issue),
        "comment": shapes.comment(call.base, where, issue, row),
        **(more or {}),
    }
    emit(call, where, "issue_comment", action, subject, sender)
