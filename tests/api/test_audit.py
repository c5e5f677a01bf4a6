"""The log of what people and keys changed."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.api.conftest import client_with, signed_in
from tests.api.fixing import received
from tests.api.planning import edited
from tests.edges.clusters import clustered
from tests.edges.servers import command, everything
from tests.rules.samples import feedback
from tests.support.people import ADA, BOB, give_key, give_role

ITEMS = [feedback(external_id=f"i{n}") for n in range(5)]


@pytest.fixture
def clusters(redis: Redis, larder: Project, sqs_url: str) -> tuple[str, str]:
    """One of three items, one of two."""
    received(sqs_url, "fix")
    received(sqs_url, "cluster")
    return clustered(redis, *ITEMS[:3], name="Export"), clustered(redis, *ITEMS[3:], name="Import")


def log(api: TestClient, **query: Any) -> list[dict[str, Any]]:
    answer = api.get("/audit", params={"project": "larder", **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def said(api: TestClient) -> list[tuple[str, str]]:
    """What was done to which, the oldest first."""
    return [(one["what"], one["on"]) for one in log(api)][::-1]


def twice(api: TestClient, method: str, path: str, body: Any = None) -> Any:
    """The first answer; the request is made again, which mustn't be a change."""
    first = api.request(method, path, json=body)
    assert first.status_code < 300, first.text
    assert api.request(method, path, json=body).status_code < 300
    return first.json()


def test_a_change_says_who_what_and_when(api: TestClient, clusters: tuple[str, str]) -> None:
    """With what was before and what is after; said again, nothing has changed."""
    a, _ = clusters
    shown = twice(api, "PATCH", f"/clusters/{a}", {"status": "resolved"})
    (change,) = log(api)
    assert change.pop("at") == shown["resolved_at"]
    assert change == {
        "id": 1,
        "by": "person",
        "who": ADA.id,
        "name": "ada",
        "what": "changed status",
        "on": a,
        "before": {"status": "open"},
        "after": {"status": "resolved"},
    }


def test_a_key_is_named_by_its_id(
    api: TestClient, redis_url: str, clusters: tuple[str, str]
) -> None:
    """Never by its text."""
    text = give_key(redis_url, "larder", "triage")
    client_with(text).patch(f"/clusters/{clusters[0]}", json={"status": "ignored"})
    (change,) = log(api)
    assert change["by"] == "key"
    assert change["who"] == change["name"] == "key_larder_" + text.split("_")[2]
    assert text not in str(everything(redis_url))


def test_corrections_are_in_it_once(api: TestClient, clusters: tuple[str, str]) -> None:
    """Each by its id, with what went where; a correction that is there already is no change."""
    a, b = clusters
    moved = twice(api, "POST", f"/clusters/{a}/move", {"item": ITEMS[0].id, "to": b})
    split = twice(api, "POST", f"/clusters/{a}/split", {"items": [ITEMS[1].id]})
    merged = twice(api, "POST", f"/clusters/{a}/merge", {"clusters": [b], "why": "the same"})
    assert api.post(f"/corrections/{merged['id']}/undo", json={}).status_code == 200
    assert api.post(f"/corrections/{merged['id']}/undo", json={}).status_code == 409
    assert said(api) == [
        ("moved item", moved["id"]),
        ("split cluster", split["id"]),
        ("merged clusters", merged["id"]),
        ("undid correction", merged["id"]),
    ]
    undone, merge, parted, move = log(api)
    assert (move["before"], move["after"]) == ({"out_of": [a]}, {"into": b, "items": 1})
    assert (parted["before"], parted["after"]) == (
        {"out_of": [a]},
        {"into": split["into"], "items": 1},
    )
    assert (merge["before"], merge["after"]) == ({"out_of": [b]}, {"into": a})
    assert undone["before"] == {"verb": "merge", "into": a, "out_of": [b]}
    assert undone["after"] is None


def test_plans_and_fixes_are_in_it_once(api: TestClient, clusters: tuple[str, str]) -> None:
    """Writing one, approving it, asking for a fix, cancelling that; joining a job is no change."""
    a, _ = clusters
    for based_on in (0, 1):  # the second says the same
        assert api.put(f"/clusters/{a}/plan", json=edited(based_on)).status_code == 200
    twice(api, "POST", f"/clusters/{a}/plans/1/approve")
    job = twice(api, "POST", f"/clusters/{a}/fix")["id"]
    twice(api, "POST", f"/jobs/{job}/cancel")
    assert said(api) == [
        ("wrote plan", a),
        ("approved plan", a),
        ("asked for fix", job),
        ("cancelled fix", job),
    ]
    cancelled, asked, approved, wrote = log(api)
    assert wrote["after"] == {"version": 1, "by": "ada"}
    assert (approved["before"], approved["after"]) == (None, {"version": 1})
    assert asked["after"] == {"cluster": a, "again": False, "without_plan": False}
    assert (cancelled["before"], cancelled["after"]) == (
        {"state": "queued"},
        {"state": "cancelled"},
    )


def test_a_wanted_look_is_in_it(api: TestClient, clusters: tuple[str, str], sqs_url: str) -> None:
    """Once for each message; where there is no project there is neither."""
    assert api.post("/clusters/rebalance", json={"project": "larder"}).status_code == 202
    assert api.post("/clusters/rebalance", json={"project": "nobody"}).status_code == 404
    assert received(sqs_url, "cluster") == [{"project": "larder", "look": True}]
    assert said(api) == [("asked for a look", "larder")]


def test_what_is_refused_is_not_in_it(
    api: TestClient, redis_url: str, clusters: tuple[str, str]
) -> None:
    """Neither what somebody may not do nor what can't be done."""
    a, b = clusters
    give_role(redis_url, "larder", BOB, "viewer")
    assert signed_in(BOB).patch(f"/clusters/{a}", json={"status": "ignored"}).status_code == 403
    assert api.post(f"/clusters/{a}/merge", json={"clusters": [a]}).status_code == 409
    assert api.post(f"/clusters/{a}/plans/1/approve").status_code == 404
    api.post(f"/clusters/{a}/merge", json={"clusters": [b]})
    assert api.patch(f"/clusters/{b}", json={"status": "ignored"}).status_code == 409
    assert len(log(api)) == 1


def test_what_the_product_does_is_not_in_it(redis: Redis, redis_url: str, larder: Project) -> None:
    """Its own scripts have no caller."""
    clustered(redis, *ITEMS, name="Export")
    assert not [key for key in everything(redis_url) if ":aud" in key]


def test_it_is_read_by_pages(api: TestClient, redis_url: str, larder: Project) -> None:
    """The newest first, all of them once, in one request each."""
    for number in range(7):
        api.put("/projects/larder", json={"name": f"Larder {number}"})
    page = api.get("/audit", params={"project": "larder", "limit": 3}).json()
    seen = page["items"]
    while page["next_cursor"]:
        query = {"project": "larder", "limit": 3, "cursor": page["next_cursor"]}
        page = api.get("/audit", params=query).json()
        seen += page["items"]
    assert [one["id"] for one in seen] == [7, 6, 5, 4, 3, 2, 1]
    assert page["total"] == 7
    assert api.get("/audit", params={"project": "larder", "cursor": "no"}).status_code == 400
    assert api.get("/audit", params={"project": "nobody"}).status_code == 404


def test_only_owners_read_it(redis_url: str, larder: Project) -> None:
    """Of their own project."""
    for role, status in (("viewer", 403), ("maintainer", 403), ("owner", 200)):
        give_role(redis_url, "larder", BOB, role)
        answer = signed_in(BOB).get("/audit", params={"project": "larder"})
        assert answer.status_code == status
    command(redis_url, "HDEL", "p:larder:roles", BOB.id)
    assert signed_in(BOB).get("/audit", params={"project": "larder"}).status_code == 404
