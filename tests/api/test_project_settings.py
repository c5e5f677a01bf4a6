"""A project's settings beside its name and its repository: limits, tests and what is published."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.edges.servers import command

DEFAULTS: dict[str, Any] = {
    "repository": "",
    "base": "main",
    "test_setup": "",
    "test_command": "",
    "publishes": ["proven", "tests_pass", "no_tests"],
    "plan_required": False,
    "jobs_at_once": 2,
    "jobs_per_day": 20,
    "dollars_per_day": 50.0,
    "dollars_per_job": 5.0,
    "minutes_per_job": 30,
    "patch_files": 40,
    "patch_bytes": 400_000,
    "items_per_day": 50_000,
    "pending_items": 20_000,
}
OTHERS: dict[str, Any] = {
    "repository": "acme/larder",
    "base": "dev",
    "test_setup": "pip install -e .\nmake ready",
    "test_command": "pytest -q 'tests/é'",
    "publishes": ["proven"],
    "plan_required": True,
    "jobs_at_once": 3,
    "jobs_per_day": 7,
    "dollars_per_day": 12.5,
    "dollars_per_job": 0.25,
    "minutes_per_job": 45,
    "patch_files": 5,
    "patch_bytes": 1_000,
    "items_per_day": 0,
    "pending_items": 7,
}
# Least and most of each limit.
BOUNDS: dict[str, tuple[float, float]] = {
    "jobs_at_once": (1, 100),
    "jobs_per_day": (0, 10_000),
    "dollars_per_day": (0, 100_000),
    "dollars_per_job": (0.01, 1_000),
    "minutes_per_job": (1, 240),
    "patch_files": (1, 200),
    "patch_bytes": (1, 1_000_000),
    "items_per_day": (0, 10_000_000),
    "pending_items": (0, 1_000_000),
}
WHOLE = [name for name in BOUNDS if not name.startswith("dollars")]


def test_what_is_left_out_has_its_default(api: TestClient) -> None:
    """In the answer and in the list, when it is made and when all of it is replaced."""
    made = api.post("/projects", json={"id": "larder", "name": "L"}).json()
    assert made == {"id": "larder", "name": "L", **DEFAULTS}
    api.put("/projects/larder", json={"name": "L", **OTHERS})
    assert api.put("/projects/larder", json={"name": "L"}).json() == made
    assert api.get("/projects").json() == [made]


@pytest.mark.parametrize("changed", [False, True])
def test_every_setting_is_kept(api: TestClient, redis: Redis, changed: bool) -> None:
    """What is sent is what is answered, listed, and what the others are given."""
    wanted = {"id": "larder", "name": "L", **OTHERS}
    assert set(OTHERS) == set(DEFAULTS)
    assert all(OTHERS[name] != DEFAULTS[name] for name in OTHERS)
    if changed:
        api.post("/projects", json={"id": "larder", "name": "X"})
        answer = api.put("/projects/larder", json={"name": "L", **OTHERS})
    else:
        answer = api.post("/projects", json=wanted)
    assert answer.json() == wanted
    assert api.get("/projects").json() == [wanted]
    assert api.get("/projects/larder").json() == wanted
    assert ProjectStore(redis).all() == [Project(**wanted)]


def test_a_project_from_before_has_the_defaults(
    api: TestClient, redis: Redis, redis_server: str, larder: Project
) -> None:
    """What was stored before there were these settings is shown with them."""
    old = {"id": "larder", "name": "L", "repository": "acme/larder", "base": "dev"}
    command(redis_server, "SET", "p:larder:project", json.dumps(old))
    assert api.get("/projects").json() == [{**DEFAULTS, **old}]


@pytest.mark.parametrize("field", BOUNDS)
def test_limits_have_limits(api: TestClient, field: str) -> None:
    """The least and the most are taken; what is beyond them is a 422 that names the field."""
    api.post("/projects", json={"id": "larder", "name": "L"})
    least, most = BOUNDS[field]
    for value in (least, most):
        answer = api.put("/projects/larder", json={"name": "L", field: value})
        assert (answer.status_code, answer.json().get(field)) == (200, value)
    step = 1 if field in WHOLE else 0.001
    wrong: list[Any] = [least - step, most + step, -1, 1e300, "many", None, []]
    for value in wrong:
        refused(api, field, value)
    assert api.get("/projects").json()[0][field] == most


@pytest.mark.parametrize("field", WHOLE)
def test_a_count_is_whole(api: TestClient, larder: Project, field: str) -> None:
    """422 for a part of a job, a minute, a file, a byte or an item."""
    refused(api, field, 1.5)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("test_setup", value) for value in ("x" * 1_001, "a\0b", None, 5)),
        *(("test_command", value) for value in ("x" * 1_001, "a\0b", None, 5)),
        *(("publishes", value) for value in ("proven", None, ["all"], [None], ["proven"] * 5)),
        *(("plan_required", value) for value in ("perhaps", None, 2)),
        ("budget", 5),
    ],
)
def test_the_field_at_fault_is_named(
    api: TestClient, larder: Project, field: str, value: Any
) -> None:
    """422 with the field, and the project stays as it is."""
    before = api.get("/projects").json()
    refused(api, field, value)
    assert api.get("/projects").json() == before


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("field", BOUNDS)
def test_what_is_no_number_is_no_limit(
    api: TestClient, larder: Project, field: str, text: str
) -> None:
    """What some JSON has for infinity is a 422 too: no limit is without end."""
    answer = api.put(
        "/projects/larder",
        content=f'{{"name": "L", "{field}": {text}}}',
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


def refused(api: TestClient, field: str, value: Any) -> None:
    answer = api.put("/projects/larder", json={"name": "L", field: value})
    assert answer.status_code == 422, value
    problem = answer.json()["detail"][0]
    assert problem["loc"][:2] == ["body", field]
    assert "input" not in problem
