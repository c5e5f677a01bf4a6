from dataclasses import asdict
from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.clock import now_ms
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.day import day_of
from soulcaster.rules.project import Project
from tests.api.conftest import client_with, signed_in
from tests.api.requests import scripts
from tests.edges.servers import command
from tests.support.people import BOB, give_key, give_role

LARDER = {"id": "larder", "name": "Lärder", "repository": "acme/larder", "base": "dev"}


def whole(**given: Any) -> dict[str, Any]:
    """A project as it is shown, with the defaults of what is not given."""
    shown = asdict(Project(**given))
    return {**shown, "publishes": list(shown["publishes"])}


def fault(answer: Any) -> list[str]:
    """The field that a 422 names."""
    assert answer.status_code == 422, answer.text
    return list(answer.json()["detail"][0]["loc"])


def test_a_project_is_made_and_listed(api: TestClient) -> None:
    """What was sent is what is there; what was left out has its default."""
    assert api.get("/projects").json() == []
    made = api.post("/projects", json=LARDER)
    assert (made.status_code, made.json()) == (201, whole(**LARDER))
    api.post("/projects", json={"id": "attic", "name": "Attic"})
    assert api.get("/projects").json() == [whole(id="attic", name="Attic"), whole(**LARDER)]


def test_a_project_is_made_once(api: TestClient) -> None:
    """A second one of the same id is a conflict, and the first stays as it is."""
    api.post("/projects", json=LARDER)
    again = api.post("/projects", json={**LARDER, "name": "Other"})
    assert again.status_code == 409
    assert again.json()["detail"].startswith("id: ")
    assert api.get("/projects").json() == [whole(**LARDER)]


def test_a_project_is_changed(api: TestClient) -> None:
    """All settings are replaced; the id is not among them."""
    api.post("/projects", json=LARDER)
    changed = api.put("/projects/larder", json={"name": "New"})
    assert changed.json() == whole(id="larder", name="New")
    assert api.get("/projects").json() == [changed.json()]
    assert fault(api.put("/projects/larder", json=LARDER)) == ["body", "id"]


@pytest.mark.parametrize("project", ["nobody", "LARDER", "a_b", "p" * 33, "-a", "a%2Fb", "a%00b"])
def test_a_project_that_is_not_there_is_not_changed(
    api: TestClient, larder: Project, project: str
) -> None:
    """404, and nothing is made by it."""
    assert api.put(f"/projects/{project}", json={"name": "N"}).status_code == 404
    assert len(api.get("/projects").json()) == 1


def test_one_project_is_read(api: TestClient, larder: Project) -> None:
    """As it is in the list."""
    assert [api.get("/projects/larder").json()] == api.get("/projects").json()


@pytest.mark.parametrize("path", ["", "/intake"])
@pytest.mark.parametrize("project", ["nobody", "lard", "LARDER", "a_b", "p" * 33, "a%00b"])
def test_a_project_that_is_not_there_is_not_read(
    api: TestClient, larder: Project, project: str, path: str
) -> None:
    """404, and the same for one that is not the caller's."""
    answer = api.get(f"/projects/{project}{path}")
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no such project")


def test_each_sees_their_projects(api: TestClient, redis_url: str, larder: Project) -> None:
    """A key the one that it is for, a person those with a role of theirs; others are not there."""
    api.post("/projects", json={"id": "attic", "name": "Attic"})
    give_role(redis_url, "attic", BOB, "viewer")
    key = client_with(give_key(redis_url, "larder", "read"))
    for client, theirs, other in (
        (key, "larder", "attic"),
        (signed_in(BOB), "attic", "larder"),
    ):
        assert [one["id"] for one in client.get("/projects").json()] == [theirs]
        for path in ("", "/intake"):
            assert client.get(f"/projects/{theirs}{path}").status_code == 200
            assert client.get(f"/projects/{other}{path}").status_code == 404


def test_what_came_in_today(
    api: TestClient, redis_url: str, larder: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far it is from the quotas, in one request."""
    ran, day = scripts(monkeypatch), day_of(now_ms())
    quotas = {"items_per_day": 50_000, "pending_items": 20_000}
    found = api.get("/projects/larder/intake").json()
    assert found == {"day": found["day"], "items": 0, "refused": 0, "pending": 0, **quotas}
    assert ran == ["intake_read"]
    for each in (day, day_of(now_ms())):  # midnight may be between the two
        command(redis_url, "HSET", f"p:larder:intake:{each}", "items", "5", "refused", "2")
    command(redis_url, "ZADD", "p:larder:pending", "1", "fb_larder_0a")
    found = api.get("/projects/larder/intake").json()
    assert day <= found["day"] <= day_of(now_ms())
    assert found == {"day": found["day"], "items": 5, "refused": 2, "pending": 1, **quotas}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("id", value) for value in ("", "A", "a_b", "a b", "-a", "a-", "p" * 33, "a\n", 5, None)),
        *(("name", value) for value in ("", "n" * 101, None, 5)),
        ("name", []),
        *(("repository", value) for value in ("larder", "a/b/c", "https://x/y", "a/b\n", "a b/c")),
        *(("base", value) for value in ("", "-x", "a b", "a..b\n", "b" * 101, "~", None)),
        ("secret", "unknown fields are refused"),
    ],
)
def test_the_field_at_fault_is_named(api: TestClient, field: str, value: Any) -> None:
    """422 with the field, without the value, and nothing is made."""
    answer = api.post("/projects", json={**LARDER, field: value})
    assert fault(answer) == ["body", field]
    assert "input" not in answer.json()["detail"][0]
    assert api.get("/projects").json() == []


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b'"x"', b"\xff", b"{'id': 1}"])
def test_a_body_that_is_no_object_is_refused(api: TestClient, body: bytes) -> None:
    """400 for what is no JSON, 422 for what is no object."""
    answer = api.post("/projects", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]
    assert api.get("/projects").json() == []


def test_counters(api: TestClient, redis: Redis, larder: Project) -> None:
    """A project's counters, and 404 for a project that is not there."""
    assert ProjectStore(redis).stats("larder") is not None
    assert api.get("/stats", params={"project": "larder"}).json() == {
        "stored": 0,
        "clustered": 0,
        "pending": 0,
        "clusters": 0,
        "by_source": {},
        "jobs": {},
    }
    assert api.get("/stats", params={"project": "nobody"}).status_code == 404
    assert fault(api.get("/stats")) == ["query", "project"]
    assert fault(api.get("/stats", params={"project": "*"})) == ["query", "project"]
