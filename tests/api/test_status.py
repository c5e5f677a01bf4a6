from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.clock import now_ms
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.api.fixing import PULL, reach
from tests.edges.clusters import clustered, joined
from tests.edges.servers import command, everything
from tests.rules.samples import feedback

STATUSES = ("open", "resolved", "ignored")


@pytest.fixture
def cluster(redis: Redis, larder: Project) -> str:
    return clustered(redis, fresh(1), name="Export", now=now_ms())


def fresh(number: int, **given: Any) -> Any:
    """An item that comes in now."""
    now = now_ms()
    numbered = {"external_id": f"issue:{number}", "author": f"person {number}"}
    return feedback(**{**numbered, "created_at": now, "received_at": now, **given})


def patched(api: TestClient, cluster: str, status: str) -> Any:
    return api.patch(f"/clusters/{cluster}", json={"status": status})


def listed(api: TestClient, **query: str) -> list[str]:
    page = api.get("/clusters", params={"project": "larder", **query}).json()
    assert page["total"] == len(page["items"])
    return [each["id"] for each in page["items"]]


@pytest.mark.parametrize("status", STATUSES)
def test_a_cluster_becomes_what_it_is_called(
    api: TestClient, redis_server: str, cluster: str, status: str
) -> None:
    """In the answer, when it is read and in the lists; said again, nothing changes."""
    answer = patched(api, cluster, status)
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    whole = api.get(f"/clusters/{cluster}").json()
    assert {name: whole[name] for name in answer.json()} == answer.json()
    for each in STATUSES:
        assert listed(api, status=each) == ([cluster] if each == status else [])
    assert listed(api, status="all") == [cluster]
    assert listed(api) == listed(api, status="open")
    before = everything(redis_server)
    again = patched(api, cluster, status)
    assert (again.status_code, again.json()) == (200, answer.json())
    assert everything(redis_server) == before


def test_any_status_can_follow_any(api: TestClient, cluster: str) -> None:
    """People change their minds; only what is resolved says when it was."""
    for status in (*STATUSES, *STATUSES[::-1], *STATUSES):
        shown = patched(api, cluster, status).json()
        assert shown["status"] == status
        assert (shown["resolved_at"] is not None) == (status == "resolved")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "merged"}, "status"),
        ({"status": "closed"}, "status"),
        ({"status": None}, "status"),
        ({}, "status"),
        ({"status": "open", "name": "Mine"}, "name"),
    ],
)
def test_the_field_at_fault_is_named(
    api: TestClient, cluster: str, body: dict[str, Any], field: str
) -> None:
    """422 for what is no status, and for what can't be changed."""
    answer = api.patch(f"/clusters/{cluster}", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


@pytest.mark.parametrize(
    "wanted", ["cl_larder_00", "cl_other_00", "fb_larder_00", "garbage", "%00"]
)
def test_what_is_not_there_has_no_status(
    api: TestClient, redis_server: str, cluster: str, wanted: str
) -> None:
    """404, and nothing is made of it."""
    before = everything(redis_server)
    assert patched(api, wanted, "resolved").status_code == 404
    assert everything(redis_server) == before


@pytest.mark.usefixtures("cluster")
def test_what_was_merged_has_no_status_of_its_own(
    api: TestClient, redis: Redis, redis_server: str, cluster: str
) -> None:
    """409 that names where it went."""
    into = clustered(redis, fresh(2), now=now_ms())
    assert api.post(f"/clusters/{into}/merge", json={"clusters": [cluster]}).status_code == 201
    before = everything(redis_server)
    answer = patched(api, cluster, "resolved")
    assert answer.status_code == 409
    assert into in answer.json()["detail"]
    assert everything(redis_server) == before
    shown = api.get(f"/clusters/{cluster}").json()
    assert (shown["status"], shown["merged_into"], shown["reports"]) == ("merged", into, 0)
    assert shown["impact"] == {"score": 0, "low": 0, "high": 0, "reason": ""}
    assert listed(api, status="all") == [into]


def test_a_fix_that_did_not_hold_is_shown(api: TestClient, redis: Redis, cluster: str) -> None:
    """Resolved with a pull request and then reported again: open, and after which one."""
    reach(redis, api.post(f"/clusters/{cluster}/fix").json()["id"], "pr_open")
    shown = patched(api, cluster, "resolved").json()
    assert shown["resolved_pr"] == PULL
    later = shown["resolved_at"] + 1
    joined(redis, cluster, fresh(2, received_at=later), now=later)
    (shown,) = api.get("/clusters", params={"project": "larder"}).json()["items"]
    assert (shown["status"], shown["regressed_at"]) == ("open", later)
    assert shown["regressed_after"] == PULL
    shown = patched(api, cluster, "resolved").json()
    assert (shown["regressed_at"], shown["regressed_after"]) == (None, None)


def test_a_cluster_shows_what_it_is_worth(api: TestClient, redis: Redis, cluster: str) -> None:
    """Who reported it, how often, how bad, when; and why it stands where it stands."""
    joined(
        redis,
        cluster,
        fresh(2, source="reddit"),
        fresh(3, source="sentry", author=None, severity="error", occurrences=7),
        now=now_ms(),
    )
    (shown,) = api.get("/clusters", params={"project": "larder"}).json()["items"]
    assert (shown["size"], shown["reporters"], shown["reports"]) == (3, 3, 9)
    assert shown["severity"] == "error"
    assert (len(shown["trend"]), sum(shown["trend"])) == (30, 9)
    impact = shown["impact"]
    assert 0 < impact["low"] < impact["score"] < impact["high"] < 100
    assert (
        impact["reason"] == "2 people and 1 Sentry issue on 3 sources, 9 reports this week, error"
    )


def test_what_matters_most_comes_first(api: TestClient, redis: Redis, cluster: str) -> None:
    """Unless another order is asked for."""
    many = clustered(redis, *(fresh(n) for n in range(2, 6)), now=now_ms())
    assert listed(api) == listed(api, sort="impact") == [many, cluster]


@pytest.mark.parametrize("status", ["merged", "", "everything"])
def test_a_list_of_no_status_is_refused(api: TestClient, larder: Project, status: str) -> None:
    """422 that names the field."""
    answer = api.get("/clusters", params={"project": "larder", "status": status})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "status"]


@pytest.mark.usefixtures("cluster")
def test_a_project_has_a_trend(api: TestClient, redis: Redis, redis_server: str) -> None:
    """Its reports on each of the last 30 or 90 days, whatever cluster they are in, if any."""
    joined(redis, "cl_larder_other", fresh(2), now=now_ms())
    assert command(redis_server, "ZCARD", "p:larder:fbs") == 2
    for query, days in (({}, 30), ({"days": "30"}, 30), ({"days": "90"}, 90)):
        reports = api.get("/projects/larder/trend", params=query).json()["reports"]
        assert (len(reports), sum(reports)) == (days, 2)
    for wrong in ("31", "0", "-1", "many", ""):
        assert api.get("/projects/larder/trend", params={"days": wrong}).status_code == 422
    for nobody in ("nobody", "LARDER", "a:b", "*"):
        assert api.get(f"/projects/{nobody}/trend").status_code == 404
