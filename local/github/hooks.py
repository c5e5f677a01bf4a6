"""Webhooks: who wants which events, what was sent, what they answered."""

import json
import uuid
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from local.github import shapes
from local.github.apps import installation_id
from local.github.call import Call, now_iso, only_fields
from local.github.refusal import Refused, invalid
from local.github.store import Row

_EVENTS = ("issues", "issue_comment", "pull_request", "check_suite")
# The App was not granted the permission that suites of checks need.
_APP_EVENTS = ("issues", "issue_comment", "pull_request")


def emit(
    call: Call, where: Row, event: str, action: str, subject: dict[str, Any], sender: str
) -> None:
    """Record a delivery for each hook that wants ``event``; a background thread sends them.

    ``subject`` is the part of the payload that the event is about.
    """
    hooks = call.store.all(
        "SELECT * FROM hooks WHERE (repository_id = ? OR (repository_id IS NULL AND ?))",
        where["id"],
        where["installed"],
    )
    for hook in hooks:
        if event in json.loads(hook["events"]):
            payload = {"action": action, **subject}
            _record(call, hook, where, event, payload, sender)
    call.forge.wake_courier()


def create(call: Call) -> Response:
    """POST /repos/{owner}/{name}/hooks"""
    where = call.repository("repository_hooks", "write")
    body = call.body()
    only_fields(body, "name", "active", "events", "config")
    events = body.get("events", ["push"])
    if not isinstance(events, list) or not set(map(str, events)) <= set(_EVENTS):
        raise Refused(501, f"not emulated: hooks for other events than {', '.join(_EVENTS)}")
    if body.get("active", True) is not True or body.get("name", "web") != "web":
        raise Refused(501, "not emulated: hooks that are switched off, or not for the web")
    url, secret = _config(body.get("config"))
    with call.store.transaction():
        number = call.store.write(
            "INSERT INTO hooks (repository_id, url, secret, events, created_at)"
            " VALUES (?, ?, ?, ?, ?)",
            where["id"],
            url,
            secret,
            json.dumps(events),
            now_iso(),
        )
        hook = call.store.get("SELECT * FROM hooks WHERE id = ?", number)
        ping = {"zen": "Keep it logically awesome.", "hook_id": number, "hook": _shape(hook)}
        _record(call, hook, where, "ping", ping, call.caller.login)
    call.forge.wake_courier()
    return JSONResponse(_shape(hook), 201)


def list_all(call: Call) -> Response:
    """GET /repos/{owner}/{name}/hooks"""
    where = call.repository("repository_hooks")
    hooks = call.store.all("SELECT * FROM hooks WHERE repository_id = ?", where["id"])
    return JSONResponse([_shape(hook) for hook in hooks])


def delete(call: Call) -> Response:
    """DELETE /repos/{owner}/{name}/hooks/{hook}"""
    hook = _hook(call, "write")
    with call.store.transaction():
        call.store.write("DELETE FROM deliveries WHERE hook_id = ?", hook["id"])
        call.store.write("DELETE FROM hooks WHERE id = ?", hook["id"])
    return Response(status_code=204)


def deliveries(call: Call) -> Response:
    """GET /repos/{owner}/{name}/hooks/{hook}/deliveries, newest first"""
    rows = call.store.all(
        "SELECT * FROM deliveries WHERE hook_id = ? AND delivered_at IS NOT NULL"
        " ORDER BY id DESC LIMIT ?",
        _hook(call, "read")["id"],
        call.paging()[0],
    )
    return JSONResponse([_delivery(row) for row in rows])


def delivery(call: Call) -> Response:
    """GET /repos/{owner}/{name}/hooks/{hook}/deliveries/{delivery}"""
    row = call.store.one(
        "SELECT * FROM deliveries WHERE hook_id = ? AND id = ? AND delivered_at IS NOT NULL",
        _hook(call, "read")["id"],
        call.number("delivery"),
    )
    if row is None:
        raise Refused(404, "Not Found")
    sent = {"payload": json.loads(row["payload"])}
    return JSONResponse(
        {**_delivery(row), "request": sent, "response": {"payload": row["response"]}}
    )


def set_app_hook(call: Call) -> Response:
    """PATCH /app/hook/config: one hook for every repository that has the App."""
    if call.caller.kind != "app":
        raise Refused(401, "A JSON web token could not be decoded")
    url, secret = _config(call.body())
    with call.store.transaction():
        old = call.store.one("SELECT * FROM hooks WHERE repository_id IS NULL")
        if old:
            call.store.write(
                "UPDATE hooks SET url = ?, secret = ? WHERE id = ?", url, secret, old["id"]
            )
        else:
            call.store.write(
                "INSERT INTO hooks (url, secret, events, created_at) VALUES (?, ?, ?, ?)",
                url,
                secret,
                json.dumps(_APP_EVENTS),
                now_iso(),
            )
    hook = call.store.get("SELECT * FROM hooks WHERE repository_id IS NULL")
    return JSONResponse(_shape(hook)["config"])


def _config(config: Any) -> tuple[str, str | None]:
    if not isinstance(config, dict) or not isinstance(config.get("url"), str):
        raise invalid("Hook", "Config must contain URL for webhooks")
    only_fields(config, "url", "secret", "content_type", "insecure_ssl")
    if not _is_web(config["url"]):
        raise invalid("Hook", "Sorry, the URL host is not supported", field="url")
    if config.get("content_type") != "json":
        raise Refused(501, "not emulated: hooks whose content_type isn't json")
    return config["url"], str(config["secret"]) if config.get("secret") else None


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _record(
    call: Call, hook: Row, where: Row, event: str, payload: dict[str, Any], sender: str
) -> None:
    payload |= {
        "repository": shapes.repository(call.base, where),
        "sender": shapes.user(sender),
    }
    if hook["repository_id"] is None:
        number = installation_id(call, where["full_name"].split("/")[0])
        payload["installation"] = {"id": number, "node_id": f"INS_{number}"}
    call.store.write(
        "INSERT INTO deliveries (hook_id, guid, event, action, payload, status, status_code,"
        " duration, response) VALUES (?, ?, ?, ?, ?, 'interrupted', 0, 0, '')",
        hook["id"],
        str(uuid.uuid4()),
        event,
        payload.get("action"),
        json.dumps(payload, ensure_ascii=False, separators=(",", ":")),
    )


def _hook(call: Call, level: str) -> Row:
    where = call.repository("repository_hooks", level)
    row = call.store.one(
        "SELECT * FROM hooks WHERE id = ? AND repository_id = ?",
        call.number("hook"),
        where["id"],
    )
    if row is None:
        raise Refused(404, "Not Found")
    return row


def _shape(hook: Row) -> dict[str, Any]:
    config = {"url": hook["url"], "content_type": "json", "insecure_ssl": "0"}
    if hook["secret"]:
        config["secret"] = "********"
    return {
        "type": "Repository" if hook["repository_id"] else "App",
        "id": hook["id"],
        "name": "web",
        "active": True,
        "events": json.loads(hook["events"]),
        "config": config,
        "created_at": hook["created_at"],
    }


def _delivery(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "guid": row["guid"],
        "delivered_at": row["delivered_at"],
        "redelivery": False,
        "duration": row["duration"],
        "status": row["status"],
        "status_code": row["status_code"],
        "event": row["event"],
        "action": row["action"],
    }
