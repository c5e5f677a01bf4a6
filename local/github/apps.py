"""The GitHub App: who it is, where it is installed, and tokens narrowed to one task."""

from typing import Any

from starlette.responses import JSONResponse, Response

from local.github import auth, shapes
from local.github.call import Call, iso, only_fields
from local.github.refusal import Refused
from local.github.store import Row


def get_app(call: Call) -> Response:
    """GET /app"""
    keys = _as_app(call).forge.keys
    return JSONResponse(
        {
            "id": int(keys.app_id),
            "slug": keys.app_slug,
            "name": keys.app_slug.title(),
            "owner": shapes.user(keys.person_login),
            "permissions": auth.GRANTED,
            "events": ["issues", "pull_request"],
            "installations_count": 1,
        }
    )


def installations(call: Call) -> Response:
    """GET /app/installations"""
    owners = _as_app(call).store.installed_owners()
    return JSONResponse([_installation(call, owner) for owner in owners])


def installation_of(call: Call) -> Response:
    """GET /repos/{owner}/{name}/installation"""
    _as_app(call)
    row = call.store.one(
        "SELECT * FROM repositories WHERE installed AND full_name = ?",
        f"{call.param('owner')}/{call.param('name')}",
    )
    if row is None:
        raise Refused(404, "Not Found")
    return JSONResponse(_installation(call, row["full_name"].split("/")[0]))


def create_token(call: Call) -> Response:
    """POST /app/installations/{installation}/access_tokens"""
    _as_app(call)
    index = call.number("installation") - call.forge.keys.installation_id
    owners = call.store.installed_owners()
    if not 0 <= index < len(owners):
        raise Refused(404, "Not Found")
    body = call.body()
    only_fields(body, "repositories", "permissions")
    repositories = _repositories(call, owners[index], body.get("repositories"))
    permissions = _permissions(body.get("permissions"))
    token, expires_at = auth.mint(
        call.store, call.forge.keys.app_id, permissions, [row["id"] for row in repositories]
    )
    answer: dict[str, Any] = {
        "token": token,
        "expires_at": iso(expires_at),
        "permissions": permissions,
        "repository_selection": "selected",
        "repositories": [shapes.repository(call.base, row) for row in repositories],
    }
    return JSONResponse(answer, 201)


def installation_id(call: Call, owner: str) -> int:
    """Each account that has the App has one installation; the first has the id configured."""
    return call.forge.keys.installation_id + call.store.installed_owners().index(owner)


def _as_app(call: Call) -> Call:
    if call.caller.kind != "app":
        raise Refused(401, "A JSON web token could not be decoded")
    return call


def _repositories(call: Call, owner: str, names: Any) -> list[Row]:
    installed = call.store.all(
        "SELECT * FROM repositories WHERE installed AND full_name LIKE ? || '/%'", owner
    )
    if names is None:
        return installed
    if not isinstance(names, list) or not names:
        raise Refused(422, "Invalid request. 'repositories' is not a list of names.")
    by_name = {row["full_name"].split("/")[1].lower(): row for row in installed}
    found = [by_name.get(str(name).lower()) for name in names]
    rows = [row for row in found if row]
    if len(rows) != len(found):
        raise Refused(
            422,
            "There is at least one repository that does not exist or is not accessible to the"
            " parent installation.",
        )
    return rows


def _permissions(asked: Any) -> dict[str, str]:
    if asked is None:
        return dict(auth.GRANTED)
    if not isinstance(asked, dict) or any(v not in ("read", "write") for v in asked.values()):
        raise Refused(422, "Invalid request. 'permissions' is not a map to 'read' or 'write'.")
    for name, level in asked.items():
        if auth.LEVELS[level] > auth.LEVELS.get(auth.GRANTED.get(name, ""), 0):
            raise Refused(422, "The permissions requested are not granted to this installation.")
    return {**asked, "metadata": "read"}


def _installation(call: Call, owner: str) -> dict[str, Any]:
    keys = call.forge.keys
    return {
        "id": installation_id(call, owner),
        "app_id": int(keys.app_id),
        "app_slug": keys.app_slug,
        "account": shapes.user(owner),
        "repository_selection": "all",
        "permissions": auth.GRANTED,
        "events": ["issues", "pull_request"],
    }
