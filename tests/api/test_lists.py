from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.page import encode_cursor
from soulcaster.rules.project import Project
from tests.edges.clusters import clustered, stored
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("larder")
LISTS = ["/feedback", "/clusters", "/jobs"]


@pytest.fixture
def full(redis: Redis, larder: Project) -> None:
    """Five clusters of one item each, each with a job."""
    for n in range(5):
        cluster = clustered(redis, feedback(external_id=f"i{n}", created_at=NOW + n), name=f"n{n}")
        assert JobStore(redis).ask(cluster, NOW + n, "test").outcome == "created"


def get(api: TestClient, path: str, **query: Any) -> Any:
    return api.get(path, params={"project": "larder", **query})


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("limit", [1, 2, 5, 200])
@pytest.mark.parametrize("path", LISTS)
def test_pages_hold_everything_once(api: TestClient, path: str, limit: int) -> None:
    """Following the cursors shows each record once; every page says how many there are."""
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = get(api, path, limit=limit, **({"cursor": cursor} if cursor else {})).json()
        assert page["total"] == 5
        assert len(page["items"]) <= limit
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_is_a_page(api: TestClient, path: str) -> None:
    """Nothing there yet is an answer, not an error."""
    assert get(api, path).json() == {"items": [], "next_cursor": None, "total": 0}


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("path", LISTS)
def test_projects_do_not_meet(api: TestClient, path: str) -> None:
    """Another project's list shows nothing of this one, and one that is not there is a 404."""
    api.post("/projects", json={"id": "other", "name": "Other"})
    assert get(api, path, project="other").json()["items"] == []
    assert get(api, path, project="nobody").status_code == 404


@pytest.mark.parametrize("cursor", ["garbage", "!", "é", encode_cursor("1"), encode_cursor("x:y")])
@pytest.mark.parametrize("path", LISTS)
def test_a_forged_cursor_is_the_callers_fault(api: TestClient, path: str, cursor: str) -> None:
    """400 that names the field."""
    answer = get(api, path, cursor=cursor)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("cursor: ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("limit", value) for value in ("0", "-1", "201", "many", "")),
        *(("project", value) for value in ("", "A", "a:b", "*", "p" * 33, "a\n")),
    ],
)
@pytest.mark.parametrize("path", LISTS)
def test_the_field_at_fault_is_named(api: TestClient, path: str, field: str, value: str) -> None:
    """422 for a limit or a project that can't be."""
    answer = get(api, path, **{field: value})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", field]


def test_clusters_are_sorted_as_asked(api: TestClient, redis: Redis) -> None:
    """The largest or the most recently reported first; another order is refused."""
    large = clustered(redis, feedback(), feedback(external_id="2"))
    recent = clustered(redis, feedback(external_id="3", created_at=NOW + 9))
    for sort, first in (("size", large), ("recent", recent)):
        assert get(api, "/clusters", sort=sort).json()["items"][0]["id"] == first
    assert get(api, "/clusters", sort="name").json()["detail"][0]["loc"] == ["query", "sort"]


def test_a_record_is_shown_whole(api: TestClient, redis: Redis) -> None:
    """Feedback, cluster and job each show what they are and what they belong to."""
    item = feedback(details={"labels": ["bug"]})
    cluster = clustered(redis, item, name="Export")
    job = JobStore(redis).ask(cluster, NOW, "test").id
    shown = api.get(f"/feedback/{item.id}").json()
    assert (shown["title"], shown["cluster"]) == (item.title, cluster)
    assert shown["details"] == {"labels": ["bug"]}
    whole = api.get(f"/clusters/{cluster}").json()
    assert (whole["name"], whole["live_job"]) == ("Export", job)
    assert [each["id"] for each in whole["feedback"]] == [item.id]
    assert [each["id"] for each in whole["jobs"]] == [job]
    found = api.get(f"/jobs/{job}").json()
    assert (found["cluster"], found["state"], found["attempt"]) == (cluster, "queued", 1)
    assert [each["state"] for each in found["history"]] == ["queued"]


def test_a_cluster_shows_as_many_items_as_asked(api: TestClient, redis: Redis) -> None:
    """The newest ones; its size is that of all."""
    items = [feedback(external_id=f"i{n}", created_at=NOW + n) for n in range(3)]
    cluster = clustered(redis, *items)
    found = api.get(f"/clusters/{cluster}", params={"limit": 2}).json()
    assert [each["id"] for each in found["feedback"]] == [items[2].id, items[1].id]
    assert found["size"] == 3
    assert api.get(f"/clusters/{cluster}", params={"limit": 0}).status_code == 422


@pytest.mark.parametrize(
    "identifier",
    [
        *(
            "{kind}_larder_00",
            "{kind}_other_{rest}",
            "{other}_larder_{rest}",
            "{kind}_LARDER_{rest}",
        ),
        *("{kind}_{rest}", "garbage", "{kind}_larder_{rest}%0A", "{kind}_larder:x_{rest}", "%00"),
        *("..%2F{kind}_larder_{rest}", "{kind}_larder_{rest}:items", "{kind}_larder_*", "é"),
    ],
)
@pytest.mark.parametrize(
    ("path", "kind"), [("feedback", "fb"), ("clusters", "cl"), ("jobs", "job")]
)
def test_foreign_and_malformed_ids_are_not_there(
    api: TestClient, redis: Redis, path: str, kind: str, identifier: str
) -> None:
    """Another project's id, another kind's and what is no id at all: one and the same 404."""
    item = feedback()
    stored(redis, item)
    other = "src" if kind != "src" else "fb"
    wanted = identifier.format(kind=kind, other=other, rest=item.id.rpartition("_")[2])
    answer = api.get(f"/{path}/{wanted}")
    assert answer.status_code == 404
    assert answer.json()["detail"] in (f"there is no such {path.removesuffix('s')}", "Not Found")
