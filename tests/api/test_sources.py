"""A project's sources: made, listed, changed and removed."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges import source_store
from soulcaster.edges.redis import Redis
from soulcaster.edges.source_store import SourceStore
from soulcaster.rules.filters import Filters
from soulcaster.rules.kinds import KINDS
from tests.api.conftest import client_with
from tests.api.requests import scripts
from tests.api.sourcing import BUILT_IN, fault, listed, make
from tests.edges.servers import command
from tests.rules.samples import NOW
from tests.support.people import give_key

pytestmark = pytest.mark.usefixtures("larder")

FILTERS = {
    "include": ["export", "lost rows"],
    "exclude": ["test"],
    "severity": "error",
    "channels": ["email"],
    "authors": ["bot"],
}
NO_FILTERS: dict[str, Any] = {
    "include": [],
    "exclude": [],
    "severity": None,
    "channels": [],
    "authors": [],
}
NO_HEALTH = {
    "deliveries": 0,
    "items": 0,
    "refused": 0,
    "last_delivery": None,
    "last_error": None,
    "last_error_at": None,
}


def test_kinds(api: TestClient, redis_url: str) -> None:
    """Every kind, with what a person has to know to make one, for whoever has a credential."""
    found = {one.pop("id"): one for one in api.get("/source-kinds").json()}
    assert list(found) == list(KINDS)
    assert found["sentry"] == {
        "label": "Sentry",
        "webhook": True,
        "secret": "given",
        "polled": "never",
        "built_in": False,
    }
    assert found["github"]["polled"] == "optional"
    assert (found["reddit"]["polled"], found["reddit"]["webhook"]) == ("always", False)
    assert [name for name, one in found.items() if one["built_in"]] == ["api", "file", "form"]
    reader = client_with(give_key(redis_url, "larder", "read"))
    assert reader.get("/source-kinds").status_code == 200


def test_a_source_is_made(api: TestClient) -> None:
    """With the address to paste; what was left out has its default."""
    made = make(api)
    assert made.status_code == 201
    body = made.json()
    secret = body.pop("secret")
    assert body == {
        "id": "src_larder_web",
        "project": "larder",
        "kind": "standard",
        "name": "web",
        "built_in": False,
        "enabled": True,
        "filters": NO_FILTERS,
        "per_minute": 600,
        "config": {},
        "webhook": "https://api.example/webhooks/larder/src_larder_web",
        "secrets": [{"last4": secret[-4:], "until": None}],
        "health": NO_HEALTH,
    }
    assert listed(api) == [body]
    assert api.get("/sources/src_larder_web").json() == body


def test_a_source_is_made_as_it_is_wanted(api: TestClient, redis: Redis) -> None:
    """Switched off, filtered and slower than others: in the answer and in what deliveries meet."""
    made = make(api, enabled=False, filters=FILTERS, per_minute=5).json()
    assert (made["enabled"], made["filters"], made["per_minute"]) == (False, FILTERS, 5)
    (stored,) = SourceStore(redis).sources([("larder", "src_larder_web")])
    assert stored is not None
    assert (stored.enabled, stored.per_minute) == (False, 5)
    assert stored.filters == Filters.of(FILTERS)


def test_a_name_is_taken_once(api: TestClient) -> None:
    """A second source of that name is a conflict, and so is one called as a built-in one is."""
    before = make(api).json()["secrets"]
    assert make(api, kind="github").status_code == 409
    assert listed(api)[0]["secrets"] == before
    for name in ("form", "api", "file"):
        answer = make(api, name=name)
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith("name: ")


def test_a_project_has_so_many(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is a conflict that says so."""
    monkeypatch.setattr(source_store, "MOST_SOURCES", 1)
    make(api)
    full = make(api, name="other")
    assert full.status_code == 409
    assert full.json()["detail"].startswith("project: ")


def test_a_list_is_one_request(
    api: TestClient, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its health, and those that every project has, which have no address to send to."""
    make(api)
    health = {
        "deliveries": 5,
        "items": 3,
        "refused": 1,
        "last_delivery": NOW,
        "last_error": "the signature is wrong",
        "last_error_at": NOW + 1,
    }
    flat = [str(part) for pair in health.items() for part in pair]
    command(redis_url, "HSET", "p:larder:source:src_larder_web", *flat)
    command(redis_url, "HSET", "p:larder:source:src_larder_form", "items", "2")
    ran = scripts(monkeypatch)
    found = {one["name"]: one for one in api.get("/sources?project=larder").json()}
    assert ran == ["sources_in"]
    assert found["web"]["health"] == health
    assert found["form"]["health"] == {**NO_HEALTH, "items": 2}
    assert [found[name]["webhook"] for name in ("form", "api", "file")] == [None] * 3
    assert [found[name]["secrets"] for name in ("form", "api", "file")] == [[]] * 3


def test_reddit_has_neither_secret_nor_address(api: TestClient, redis: Redis) -> None:
    """It is polled: what it needs is the names of subreddits, as long as it is switched on."""
    made = make(api, kind="reddit", config={"subreddits": ["larder", "meal_prep"]}).json()
    assert (made["secret"], made["secrets"], made["webhook"]) == (None, [], None)
    assert made["config"]["subreddits"] == ["larder", "meal_prep"]
    store = SourceStore(redis)
    (polled,) = store.polled(NOW)
    assert polled.source.config == made["config"]
    assert api.patch("/sources/src_larder_web", json={"enabled": False}).status_code == 200
    assert store.polled(NOW) == []


def test_github_is_polled_on_request(api: TestClient, redis: Redis) -> None:
    """Only where somebody asked for it, and for the repository that was named."""
    make(api, kind="github")
    store = SourceStore(redis)
    assert store.polled(NOW) == []
    config = {"poll": True, "repository": "acme/other"}
    changed = api.patch("/sources/src_larder_web", json={"config": config}).json()
    assert changed["config"] == config
    (polled,) = store.polled(NOW)
    assert polled.source.config == config


@pytest.mark.parametrize(
    "change", [{"enabled": False}, {"filters": FILTERS}, {"per_minute": 100_000}]
)
@pytest.mark.parametrize("source", ["src_larder_web", "src_larder_form"])
def test_a_source_is_changed(api: TestClient, source: str, change: dict[str, Any]) -> None:
    """In what is given alone, built-in ones too; to say it again changes nothing."""
    make(api)
    before = api.get(f"/sources/{source}").json()
    for _ in range(2):
        changed = api.patch(f"/sources/{source}", json=change)
        assert (changed.status_code, changed.json()) == (200, {**before, **change})
    assert api.get(f"/sources/{source}").json() == {**before, **change}
    nothing: dict[str, Any] = {"enabled": None, "filters": None, "config": None}
    assert api.patch(f"/sources/{source}", json=nothing).json() == {**before, **change}


def test_a_source_is_removed(api: TestClient, redis_url: str) -> None:
    """It is not there any more; one of that name can be made again."""
    make(api)
    command(redis_url, "HSET", "p:larder:source:src_larder_web", "items", "2")
    gone = api.delete("/sources/src_larder_web")
    assert (gone.status_code, gone.content) == (204, b"")
    assert listed(api) == []
    assert api.get("/sources/src_larder_web").status_code == 404
    assert api.delete("/sources/src_larder_web").status_code == 404
    assert make(api).json()["health"] == NO_HEALTH


@pytest.mark.parametrize("source", BUILT_IN)
def test_what_every_project_has_is_not_removed(api: TestClient, source: str) -> None:
    """It is a conflict, also after it was switched off."""
    assert api.delete(f"/sources/{source}").status_code == 409
    api.patch(f"/sources/{source}", json={"enabled": False})
    assert api.delete(f"/sources/{source}").status_code == 409
    assert api.get(f"/sources/{source}").json()["enabled"] is False


def test_feedback_is_searched_by_any_kind(api: TestClient) -> None:
    """And by nothing else: 422 that names the parameter."""
    query = {"project": "larder", "q": "export"}
    for kind in KINDS:
        assert api.get("/search", params={**query, "source": kind}).status_code == 200
    for kind in ("gitlab", "", "GitHub", "rules.sources"):
        assert fault(api.get("/search", params={**query, "source": kind})) == ["query", "source"]
