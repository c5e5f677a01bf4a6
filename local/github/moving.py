"""What ends an issue's number: its deletion, and its transfer to another repository.

GitHub has both on its pages and in GraphQL, and not in the REST API.
"""

import json

from starlette.responses import JSONResponse, Response

from local.github import issues, shapes
from local.github.call import Call, now_iso, only_fields, text_field
from local.github.comments import number_field
from local.github.refusal import Refused
from local.github.repositories import local_repository, named
from local.github.store import Row


def delete(call: Call) -> Response:
    """POST /_local/issues/delete {"repo", "number"}"""
    where, row = _issue(call, "repo", "number")
    with call.store.transaction():
        issues.announce(call, where, row, "deleted")
        call.store.write("DELETE FROM comments WHERE issue_id = ?", row["id"])
        _end(call, row, None)
    return Response(status_code=204)


def transfer(call: Call) -> Response:
    """POST /_local/issues/transfer {"repo", "number", "to"}

    It gets another id and another number in ``to``, and takes its comments along. Both
    repositories tell of it.
    """
    where, row = _issue(call, "repo", "number", "to")
    there = named(call, text_field(call.body(), "to", required=True) or "")
    if there is None:
        raise Refused(404, "Not Found")
    if there["id"] == where["id"] or _owner(there) != _owner(where):
        raise Refused(422, "An issue goes to another repository of the same owner.")
    with call.store.transaction():
        new = _copy(call, there, row)
        old, shown = shapes.issue(call.base, where, row), shapes.issue(call.base, there, new)
        to = {"new_issue": shown, "new_repository": shapes.repository(call.base, there)}
        came = {"old_issue": old, "old_repository": shapes.repository(call.base, where)}
        issues.announce(call, where, row, "transferred", {"changes": to})
        issues.announce(call, there, new, "opened", {"changes": came})
        _end(call, row, new["id"])
    return JSONResponse(shown, 201)


def _issue(call: Call, *fields: str) -> tuple[Row, Row]:
    where = local_repository(call)
    only_fields(call.body(), *fields)
    row = issues.of_number(call, where, number_field(call.body()))
    if row["is_pull"]:
        raise Refused(422, "A pull request is neither deleted nor transferred.")
    return where, row


def _copy(call: Call, there: Row, row: Row) -> Row:
    words = {"title": row["title"], "body": row["body"], "labels": json.loads(row["labels"])}
    new = issues.insert(call, there, words, row["author"], row["created_at"])
    call.store.write("UPDATE comments SET issue_id = ? WHERE issue_id = ?", new["id"], row["id"])
    call.store.write(
        "UPDATE issues SET state = ?, state_reason = ?, closed_at = ?, updated_at = ? WHERE id = ?",
        *(row["state"], row["state_reason"], row["closed_at"], now_iso(), new["id"]),
    )
    return issues.reread(call, new["id"])


def _end(call: Call, row: Row, moved_to: int | None) -> None:
    """Remember what became of the number, and of those that led to it."""
    call.store.write("UPDATE gone SET moved_to = ? WHERE moved_to = ?", moved_to, row["id"])
    call.store.write(
        "INSERT INTO gone VALUES (?, ?, ?)", row["repository_id"], row["number"], moved_to
    )
    call.store.write("DELETE FROM issues WHERE id = ?", row["id"])


def _owner(where: Row) -> str:
    owner: str = where["full_name"].split("/")[0]
    return owner.lower()
