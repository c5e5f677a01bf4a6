"""Every route of the API, with a path that fits it and a body that it takes."""

from collections.abc import Mapping
from typing import Any

from app import app

from soulcaster.rules import api_key

IDS = {
    "project": "larder",
    "feedback": "fb_larder_0a",
    "cluster": "cl_larder_0a",
    "job": "job_larder_0a",
    "correction": "cor_larder_1",
    "version": "1",
    "source": "src_larder_web",
    "import": "imp_larder_0a",
    "item": "fb_larder_0b",
    "other": "cl_larder_0b",
    "key": "key_larder_0a0a0a0a",
    "person": "github:99",
    "invitation": "inv_larder_0a0a0a0a",
    "token": api_key.new_key("inv_larder_0a0a0a0a", api_key.INVITATION),
    "owner_token": api_key.new_owner_token(),
}
# What is in braces is an id.
BODIES: dict[str, dict[str, Any]] = {
    "POST /projects": {"id": "pantry", "name": "Pantry"},
    "PUT /projects/{project}": {"name": "Larder"},
    "POST /sources": {"project": "larder", "name": "web", "kind": "standard"},
    "PATCH /sources/{source}": {"enabled": False},
    "POST /sources/{source}/secret": {"overlap_seconds": 0},
    "POST /feedback": {"project": "larder", "text": "Export fails."},
    "POST /imports": {"project": "larder", "format": "csv", "name": "new.csv"},
    "POST /clusters/rebalance": {"project": "larder"},
    "PATCH /clusters/{cluster}": {"status": "resolved"},
    "POST /clusters/{cluster}/merge": {"clusters": ["{other}"]},
    "POST /clusters/{cluster}/split": {"items": ["{feedback}"]},
    "POST /clusters/{cluster}/move": {"item": "{feedback}", "to": "{other}"},
    "POST /corrections/{correction}/undo": {},
    "POST /clusters/{cluster}/fix": {"without_plan": True},
    "PUT /clusters/{cluster}/plan": {
        "based_on": 1,
        "problem": "Export fails.",
        "reproduction": "",
        "files": [],
        "verification": "",
    },
    # No more than a key to `admin` alone may hand out.
    "POST /projects/{project}/keys": {"name": "import", "scopes": ["admin"]},
    "POST /projects/{project}/keys/{key}/rotate": {"overlap_seconds": 0},
    "PUT /projects/{project}/members/{person}": {"role": "viewer"},
    "POST /projects/{project}/invitations": {"role": "viewer"},
    "POST /invitations/accept": {"token": "{token}"},
    "POST /installation/owner": {"token": "{owner_token}"},
}


def routes() -> list[tuple[str, str]]:
    """Method and path, as the application describes itself."""
    return sorted(
        (method.upper(), path)
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    )


def request(method: str, path: str, ids: Mapping[str, str] = IDS) -> dict[str, Any]:
    """A well-formed request for a route, as arguments of a client's ``request``; about ``ids``."""
    body = _filled(BODIES.get(f"{method} {path}"), ids)
    query = {"project": "larder"} if method == "GET" and "{" not in path else None
    if path == "/search":
        query = {"project": "larder", "q": "export"}
    return {"method": method, "url": path.format(**{**IDS, **ids}), "json": body, "params": query}


def _filled(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, ids) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, ids) for inner in value]
    name = value[1:-1] if isinstance(value, str) and value.startswith("{") else ""
    return ids.get(name, IDS[name]) if name else value
