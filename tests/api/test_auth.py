import json
from pathlib import Path
from typing import Any

import pytest
from app import app
from starlette.testclient import TestClient

from routes import (
    clusters,
    corrections,
    feedback,
    grouping,
    jobs,
    plans,
    projects,
    search,
    sources,
    stats,
)
from soulcaster.edges.redis import Redis
from tests.api.conftest import KEY
from tests.api.routes_table import request, routes
from tests.edges.servers import everything

CREDENTIALS: list[dict[str, str]] = [
    {},
    {"authorization": ""},
    {"authorization": KEY},
    {"authorization": "Bearer"},
    {"authorization": "Bearer "},
    {"authorization": "Bearer wrong"},
    {"authorization": f"Bearer {KEY[:-1]}"},
    {"authorization": f"Bearer {KEY}x"},
    {"authorization": f"Bearer {KEY.upper()}"},
    {"authorization": f"Basic {KEY}"},
    {"authorization": "Bearer \xe9"},
    {"x-api-key": KEY},
    {"cookie": f"authorization=Bearer {KEY}"},
]


@pytest.mark.parametrize(("method", "path"), routes())
def test_s23_every_route_is_guarded(
    anybody: TestClient, redis_server: str, method: str, path: str
) -> None:
    """Without the key, or with anything but the key, a well-formed request is a 401, and
    nothing has happened.
    """
    before = everything(redis_server)
    for headers in CREDENTIALS:
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        answer = anybody.request(**request(method, path), headers=raw)  # type: ignore[arg-type]
        assert answer.status_code == 401, headers
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json() == {"detail": "the API key is missing or wrong"}
    assert everything(redis_server) == before


@pytest.mark.parametrize(("method", "path"), routes())
def test_s23_the_key_opens_every_route(api: TestClient, method: str, path: str) -> None:
    """With the key no route answers 401, 403 or 5xx."""
    assert api.request(**request(method, path)).status_code in (200, 201, 202, 404)


def test_s23_a_key_in_the_address_is_none(anybody: TestClient) -> None:
    """Addresses are logged: a key in one counts for nothing."""
    assert anybody.get("/projects", params={"key": KEY, "authorization": KEY}).status_code == 401


def test_every_documented_route_is_guarded() -> None:
    """The committed page lists exactly the application's routes, each with its guard."""
    page: dict[str, Any] = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
    documented = {
        (method.upper(), path): operation
        for path, operations in page["paths"].items()
        for method, operation in operations.items()
    }
    assert sorted(documented) == routes()
    scheme = page["components"]["securitySchemes"]["HTTPBearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for operation in documented.values():
        assert operation["security"] == [{"HTTPBearer": []}]
        assert "401" in operation["responses"]


def test_nothing_else_is_served(anybody: TestClient, api: TestClient) -> None:
    """No page about the API is open, with a key or without."""
    parts = (
        *(projects, grouping, sources, feedback, clusters),
        *(corrections, search, plans, jobs, stats),
    )
    assert len(app.routes) == len(parts)
    assert sum(len(part.router.routes) for part in parts) == len(routes())
    for path in ("/", "/docs", "/redoc", "/openapi.json", "/health", "/webhooks/larder/x"):
        for client in (anybody, api):
            assert client.get(path).status_code == 404


def test_an_empty_key_opens_nothing(
    anybody: TestClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that is missing closes the API."""
    monkeypatch.delenv("API_KEY_ARN")
    for headers in ({}, {"authorization": "Bearer "}, {"authorization": f"Bearer {KEY}"}):
        assert anybody.get("/projects", headers=headers).status_code in (401, 500, 503)
