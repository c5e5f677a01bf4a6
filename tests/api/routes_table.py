"""Every route of the API, with a path that fits it and a body that it takes."""

from typing import Any

from app import app

IDS = {
    "project": "larder",
    "feedback": "fb_larder_0a",
    "cluster": "cl_larder_0a",
    "job": "job_larder_0a",
    "correction": "cor_larder_1",
    "version": "1",
}
BODIES: dict[str, dict[str, Any]] = {
    "POST /projects": {"id": "larder", "name": "Larder"},
    "PUT /projects/{project}": {"name": "Larder"},
    "POST /sources": {"project": "larder", "name": "web", "kind": "standard"},
    "POST /clusters/rebalance": {"project": "larder"},
    "PATCH /clusters/{cluster}": {"status": "resolved"},
    "POST /clusters/{cluster}/merge": {"clusters": ["cl_larder_0b"]},
    "POST /clusters/{cluster}/split": {"items": ["fb_larder_0a"]},
    "POST /clusters/{cluster}/move": {"item": "fb_larder_0a", "to": "cl_larder_0b"},
    "POST /corrections/{correction}/undo": {},
    "PUT /clusters/{cluster}/plan": {
        "based_on": 0,
        "problem": "Export fails.",
        "reproduction": "",
        "files": [],
        "verification": "",
    },
}


def routes() -> list[tuple[str, str]]:
    """Method and path, as the application describes itself."""
    return sorted(
        (method.upper(), path)
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    )


def request(method: str, path: str) -> dict[str, Any]:
    """A well-formed request for a route, as arguments of a client's ``request``."""
    body = BODIES.get(f"{method} {path}")
    query = {"project": "larder"} if method == "GET" and "{" not in path else None
    if path == "/search":
        query = {"project": "larder", "q": "export"}
    return {"method": method, "url": path.format(**IDS), "json": body, "params": query}
