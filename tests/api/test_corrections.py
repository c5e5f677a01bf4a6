import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.edges.clusters import clustered
from tests.edges.servers import everything
from tests.rules.samples import NOW, feedback

ITEMS = [feedback(external_id=f"i{n}").id for n in range(4)]


@pytest.fixture
def clusters(redis: Redis, larder: Project) -> tuple[str, str]:
    """One of the first three items, one of the fourth."""
    large = clustered(redis, *(feedback(external_id=f"i{n}") for n in range(3)), name="Export")
    return large, clustered(redis, feedback(external_id="i3"), name="Import")


def where(api: TestClient) -> list[str]:
    """The cluster of each item."""
    return [api.get(f"/feedback/{item}").json()["cluster"] for item in ITEMS]


def listed(api: TestClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(path, params={"project": "larder"}).json()["items"]
    return found


def test_clusters_are_merged(api: TestClient, clusters: tuple[str, str]) -> None:
    """201 with the correction, 200 with the same when it is asked for again."""
    a, b = clusters
    wanted = {"clusters": [b], "why": "\u200bthe same"}
    answer = api.post(f"/clusters/{a}/merge", json=wanted)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["id"], made["verb"], made["who"]) == ("cor_larder_1", "merge", "ada")
    assert (made["into"], made["out_of"], made["items"]) == (a, [b], [])
    assert (made["why"], made["undone"]) == ("the same", None)
    assert where(api) == [a] * 4
    assert [each["id"] for each in listed(api, "/clusters")] == [a]
    gone = api.get(f"/clusters/{b}").json()
    assert (gone["status"], gone["merged_into"], gone["size"]) == ("merged", a, 0)
    again = api.post(f"/clusters/{a}/merge", json=wanted)
    assert (again.status_code, again.json()) == (200, made)


def test_what_was_merged_away_is_not_fixed(api: TestClient, clusters: tuple[str, str]) -> None:
    """409 names the cluster that its items are in; no job is made."""
    a, b = clusters
    api.post(f"/clusters/{a}/merge", json={"clusters": [b]})
    answer = api.post(f"/clusters/{b}/fix")
    assert answer.status_code == 409
    assert a in answer.json()["detail"]
    assert listed(api, "/jobs") == []


def test_a_cluster_is_split(api: TestClient, clusters: tuple[str, str]) -> None:
    """The new cluster is in the answer; an item that is named twice leaves once."""
    a, b = clusters
    wanted = {"items": [ITEMS[0], ITEMS[1], ITEMS[0]]}
    answer = api.post(f"/clusters/{a}/split", json=wanted)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["verb"], made["out_of"], made["items"]) == ("split", [a], ITEMS[:2])
    assert where(api) == [made["into"], made["into"], a, b]
    assert api.get(f"/clusters/{made['into']}").json()["size"] == 2
    again = api.post(f"/clusters/{a}/split", json=wanted)
    assert (again.status_code, again.json()) == (200, made)


def test_an_item_is_moved(api: TestClient, clusters: tuple[str, str]) -> None:
    """From the cluster of the address to another one."""
    a, b = clusters
    wanted = {"item": ITEMS[0], "to": b, "why": ""}
    answer = api.post(f"/clusters/{a}/move", json=wanted)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["verb"], made["out_of"], made["into"]) == ("move", [a], b)
    assert where(api) == [b, a, a, b]
    again = api.post(f"/clusters/{a}/move", json=wanted)
    assert (again.status_code, again.json()) == (200, made)


def test_a_correction_is_undone_once(api: TestClient, clusters: tuple[str, str]) -> None:
    """Everything is as it was; the list says who did what when and why, and that it was undone."""
    a, b = clusters
    api.post(f"/clusters/{a}/merge", json={"clusters": [b]})
    made = api.post(f"/clusters/{a}/split", json={"items": [ITEMS[0]]}).json()
    undone = api.post("/corrections/cor_larder_1/undo", json={"why": "no"})
    assert undone.status_code == 200
    assert (undone.json()["undone"]["who"], undone.json()["undone"]["why"]) == ("ada", "no")
    assert where(api) == [made["into"], a, a, b]
    assert listed(api, "/corrections") == [made, undone.json()]
    again = api.post("/corrections/cor_larder_1/undo", json={})
    assert (again.status_code, again.json()["detail"]) == (409, "it was undone already")


def test_a_correction_is_one_round_trip(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, clusters: tuple[str, str]
) -> None:
    """Each verb, its undoing and the list run one script."""
    a, b = clusters
    ran: list[str] = []
    run = Redis.run

    def counted(redis: Redis, script: str, *args: str | float) -> Any:
        ran.append(script)
        return run(redis, script, *args)

    monkeypatch.setattr(Redis, "run", counted)
    api.post(f"/clusters/{a}/split", json={"items": [ITEMS[0]]})
    api.post(f"/clusters/{a}/move", json={"item": ITEMS[1], "to": b})
    api.post(f"/clusters/{a}/merge", json={"clusters": [b]})
    api.post("/corrections/cor_larder_1/undo", json={})
    assert len(listed(api, "/corrections")) == 3
    assert ran == ["correct_split", "correct_move", "correct_merge", "correct_undo", "page"]


def test_what_can_not_be_done_now_is_a_conflict(
    api: TestClient, redis: Redis, redis_server: str, clusters: tuple[str, str]
) -> None:
    """409 that says why, and nothing has happened."""
    a, b = clusters
    assert JobStore(redis).ask(b, NOW, "test") is not None
    before = everything(redis_server)
    for path, body, why in (
        (f"{a}/merge", {"clusters": [a]}, f"{a} cannot be merged with itself"),
        (f"{a}/merge", {"clusters": [b]}, f"{b} has a live job"),
        (f"{a}/split", {"items": ITEMS[:3]}, f"nothing would be left in {a}"),
        (f"{a}/split", {"items": ITEMS[2:]}, f"{ITEMS[3]} is not in {a}"),
        (f"{a}/move", {"item": ITEMS[3], "to": b}, f"{ITEMS[3]} is in {b} already"),
        (f"{b}/move", {"item": ITEMS[0], "to": b}, f"{ITEMS[0]} is not in {b}"),
        (f"{b}/move", {"item": ITEMS[3], "to": a}, f"{b} has a live job"),
    ):
        answer = api.post(f"/clusters/{path}", json=body)
        assert (answer.status_code, answer.json()) == (409, {"detail": why}), path
    assert everything(redis_server) == before


FOREIGN = ["{kind}_larder_00", "{kind}_other_{rest}", "src_larder_{rest}", "garbage", "", "é"]


@pytest.mark.parametrize("identifier", FOREIGN)
def test_foreign_and_malformed_ids_are_not_there(
    api: TestClient, redis_server: str, clusters: tuple[str, str], identifier: str
) -> None:
    """404 for what is not there, another project's and what is no id at all, wherever it stands."""
    a, b = clusters
    api.post("/projects", json={"id": "other", "name": "Other"})
    before = everything(redis_server)
    cluster = identifier.format(kind="cl", rest=b.rpartition("_")[2])
    item = identifier.format(kind="fb", rest=ITEMS[0].rpartition("_")[2])
    for path, body, what in (
        ("merge", {"clusters": [b, cluster]}, "cluster"),
        ("split", {"items": [ITEMS[0], item]}, "feedback"),
        ("move", {"item": item, "to": b}, "feedback"),
        ("move", {"item": ITEMS[0], "to": cluster}, "cluster"),
    ):
        answer = api.post(f"/clusters/{a}/{path}", json=body)
        assert answer.status_code == 404
        assert answer.json() == {"detail": f"there is no such {what}"}
    assert everything(redis_server) == before


@pytest.mark.parametrize("identifier", ["{kind}_larder_00", "{kind}_other_1", "garbage", "%00"])
def test_addresses_of_what_is_not_there(
    api: TestClient, redis_server: str, clusters: tuple[str, str], identifier: str
) -> None:
    """404, and nothing has happened."""
    a, b = clusters
    api.post(f"/clusters/{a}/move", json={"item": ITEMS[0], "to": b})
    before = everything(redis_server)
    for path, body in (
        ("clusters/{cl}/merge", {"clusters": [b]}),
        ("clusters/{cl}/split", {"items": [ITEMS[1]]}),
        ("clusters/{cl}/move", {"item": ITEMS[1], "to": b}),
        ("corrections/{cor}/undo", {}),
    ):
        names = {kind: identifier.format(kind=kind) for kind in ("cl", "cor")}
        assert api.post("/" + path.format(**names), json=body).status_code == 404
    assert everything(redis_server) == before


LISTS: list[Any] = [[], None, {}, "x", [1], ["x" * 101], ["\ud800"]]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        *(("merge", {"clusters": clusters}, "clusters") for clusters in (*LISTS, ["x"] * 51)),
        *(("split", {"items": items}, "items") for items in (*LISTS, ["x"] * 501)),
        ("merge", {}, "clusters"),
        ("merge", {"clusters": ["x"], "why": "y" * 1_001}, "why"),
        ("merge", {"clusters": ["x"], "why": "\udfff"}, "why"),
        ("merge", {"clusters": ["x"], "who": "me"}, "who"),
        ("move", {"item": None, "to": "x"}, "item"),
        ("move", {"item": "x"}, "to"),
    ],
)
def test_nonsense_names_the_field_at_fault(
    api: TestClient, clusters: tuple[str, str], path: str, body: Any, field: str
) -> None:
    """422, and no correction."""
    answer = api.post(
        f"/clusters/{clusters[0]}/{path}",
        content=json.dumps(body),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", field]
    assert listed(api, "/corrections") == []
