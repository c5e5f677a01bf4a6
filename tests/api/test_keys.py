"""Keys of a project: made, listed, rotated, revoked."""

import json
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.rules import api_key
from soulcaster.rules.project import Project
from tests.api.conftest import client_with
from tests.edges.servers import command, everything
from tests.support.people import PEPPER, give_key

KEYS = "/projects/larder/keys"
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def _project(larder: Project) -> None:
    """All keys are of this one."""


def made(api: TestClient, *scopes: str, **wanted: Any) -> dict[str, Any]:
    answer = api.post(KEYS, json={"name": "import", "scopes": scopes or ["read"], **wanted})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def rotated(api: TestClient, key: str, overlap: int) -> dict[str, Any]:
    answer = api.post(f"{KEYS}/{key}/rotate", json={"overlap_seconds": overlap})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def opens(text: str) -> bool:
    """Whether the text is a credential now."""
    status = client_with(text).get("/me").status_code
    assert status in (200, 401)
    return status == 200


def listed(api: TestClient) -> list[dict[str, Any]]:
    return list(api.get(KEYS).json()["items"])


def test_a_key_is_shown_once_and_opens_what_it_may(api: TestClient) -> None:
    """Its text says its project and its id; the list has all of it but the text."""
    before = int(time.time() * 1000)
    key = made(api, "triage", "read", "read", expires_in_days=2)
    text = key.pop("key")
    parts = api_key.parse(text)
    assert parts
    assert (parts.project, parts.id) == ("larder", key["id"])
    assert key["scopes"] == ["read", "triage"]
    assert (key["name"], key["made_by"]) == ("import", "ada")
    assert before <= key["created_at"] <= key["expires_at"] - 2 * DAY_MS <= time.time() * 1000
    assert (key["last_used"], key["revoked_at"], key["rotating_until"]) == (None, None, None)
    assert listed(api) == [key]
    assert client_with(text).get("/clusters", params={"project": "larder"}).status_code == 200
    assert client_with(text).get(KEYS).status_code == 403
    (used,) = listed(api)
    assert used.pop("last_used") >= key["created_at"]
    assert used == {name: value for name, value in key.items() if name != "last_used"}


def test_no_text_is_kept_or_logged(
    api: TestClient, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Redis has its HMAC under the pepper, of the old text and of the new one, and nothing else."""
    caplog.set_level("DEBUG")
    key = made(api)
    again = rotated(api, key["id"], 600)
    assert again["id"] == key["id"]
    held = everything(redis_url)
    stored = held[f"p:larder:key:{key['id']}"]
    assert stored["old_mac"] == api_key.mac(PEPPER, key["key"])
    assert stored["mac"] == api_key.mac(PEPPER, again["key"])
    assert stored["mac"] != api_key.mac("another", again["key"])
    for text in (key["key"], again["key"]):
        assert opens(text)
        secret = text.split("_")[-1][: api_key.SECRET_CHARS]
        for place in (json.dumps(held), json.dumps(everything(redis_url)), caplog.text):
            assert secret not in place


def test_a_key_is_revoked_at_once(api: TestClient) -> None:
    """Both its texts; again is no error, and its record stays."""
    key = made(api)
    again = rotated(api, key["id"], 600)
    assert opens(key["key"])
    for _ in range(2):
        assert api.delete(f"{KEYS}/{key['id']}").status_code == 204
        assert not opens(key["key"])
        assert not opens(again["key"])
    (shown,) = listed(api)
    assert shown["revoked_at"] >= key["created_at"]
    assert shown["rotating_until"] is None
    changes = api.get("/audit", params={"project": "larder"}).json()["items"]
    assert [one["what"] for one in changes] == ["revoked key", "rotated key", "made key"]


def test_two_texts_live_while_a_key_is_rotated(api: TestClient, redis_url: str) -> None:
    """The old one until the overlap is over; a second rotation ends the oldest at once."""
    first = made(api)
    second = rotated(api, first["id"], 600)
    assert 590_000 < second["rotating_until"] - time.time() * 1000 <= 600_000
    assert opens(first["key"])
    assert opens(second["key"])
    third = rotated(api, first["id"], 600)
    assert [opens(one["key"]) for one in (first, second, third)] == [False, True, True]
    over = int(time.time() * 1000) - 1
    command(redis_url, "HSET", f"p:larder:key:{first['id']}", "old_until", over)
    assert [opens(one["key"]) for one in (second, third)] == [False, True]
    assert listed(api)[0]["rotating_until"] is None


def test_without_an_overlap_the_old_text_ends_at_once(api: TestClient) -> None:
    """As is wanted for one that got into the open."""
    first = made(api)
    second = rotated(api, first["id"], 0)
    assert second["rotating_until"] is None
    assert [opens(one["key"]) for one in (first, second)] == [False, True]
    day = api.post(f"{KEYS}/{first['id']}/rotate").json()["rotating_until"]
    assert DAY_MS - 10_000 < day - time.time() * 1000 <= DAY_MS


def test_a_key_expires(api: TestClient, redis_url: str) -> None:
    """It opens nothing any more, and gets no new text; neither does a revoked one."""
    at = int(time.time() * 1000) + DAY_MS
    key, other = made(api, expires_at=at), made(api)
    assert key["expires_at"] == at
    assert opens(key["key"])
    gone = int(time.time() * 1000)
    command(redis_url, "HSET", f"p:larder:key:{key['id']}", "expires", gone)
    assert not opens(key["key"])
    api.delete(f"{KEYS}/{other['id']}")
    for each in (key, other):
        answer = api.post(f"{KEYS}/{each['id']}/rotate")
        assert answer.status_code == 409
        assert "revoked or has expired" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes"),
        ({"scopes": ["read"] * 6}, "scopes"),
        ({"expires_at": 0}, "expires_at"),
        ({"expires_at": 1_700_000_000_000}, "expires_at"),
        ({"expires_at": 10**15}, "expires_at"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_at": 1_900_000_000_000, "expires_in_days": 3}, "not both"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_the_field_at_fault_is_named(api: TestClient, changed: dict[str, Any], where: str) -> None:
    """422 with the field, and there is no key."""
    answer = api.post(KEYS, json={"name": "import", "scopes": ["read"], **changed})
    assert answer.status_code == 422
    assert where in json.dumps(answer.json()["detail"])
    assert listed(api) == []


@pytest.mark.parametrize("overlap", [-1, 604_801, "long"])
def test_an_overlap_has_bounds(api: TestClient, overlap: Any) -> None:
    """422, and the key stays as it is."""
    key = made(api)
    answer = api.post(f"{KEYS}/{key['id']}/rotate", json={"overlap_seconds": overlap})
    assert answer.status_code == 422
    assert opens(key["key"])


def test_a_project_has_a_hundred_live_keys(api: TestClient, redis_url: str) -> None:
    """409 for one more; those that were revoked or have expired make room."""
    keys = [made(api, name=f"key {number}") for number in range(100)]
    wanted = {"name": "one more", "scopes": ["read"]}
    assert api.post(KEYS, json=wanted).status_code == 409
    assert rotated(api, keys[5]["id"], 0)["key"]
    api.delete(f"{KEYS}/{keys[0]['id']}")
    assert api.post(KEYS, json=wanted).status_code == 201
    assert api.post(KEYS, json=wanted).status_code == 409
    past = int(time.time() * 1000) - 1
    command(redis_url, "ZADD", "p:larder:keys:live", past, keys[1]["id"])
    assert api.post(KEYS, json=wanted).status_code == 201
    page = api.get(KEYS, params={"limit": 60}).json()
    rest = api.get(KEYS, params={"limit": 60, "cursor": page["next_cursor"]}).json()
    assert (page["total"], rest["next_cursor"]) == (102, None)
    assert len({one["id"] for one in page["items"] + rest["items"]}) == 102


@pytest.mark.parametrize(
    "key", ["key_larder_00000000", "key_other_0a0a0a0a", "key_larder_", "inv_larder_0a0a0a0a", "x"]
)
def test_what_is_no_key_of_the_project_is_404(api: TestClient, key: str) -> None:
    """Whether there is one of that id elsewhere or not."""
    for answer in (api.post(f"{KEYS}/{key}/rotate"), api.delete(f"{KEYS}/{key}")):
        assert answer.status_code == 404
        assert answer.json() == {"detail": "there is no such key"}


def test_another_projects_keys_are_not_there(api: TestClient, redis_url: str) -> None:
    """By their own project's address they are; by another's not, and its keys can't see them."""
    api.post("/projects", json={"id": "other", "name": "Other"})
    theirs = api.post("/projects/other/keys", json={"name": "n", "scopes": ["admin"]}).json()
    assert api.delete(f"{KEYS}/{theirs['id']}").status_code == 404
    assert opens(theirs["key"])
    ours = client_with(give_key(redis_url, "larder"))
    for answer in (
        ours.get("/projects/other/keys"),
        ours.post("/projects/other/keys", json={"name": "n", "scopes": ["read"]}),
        ours.delete(f"/projects/other/keys/{theirs['id']}"),
    ):
        assert answer.status_code == 404
    assert api.post("/projects/nobody/keys", json={"name": "n", "scopes": ["read"]}).json() == {
        "detail": "there is no such project"
    }
    assert api.get("/projects/p:larder/keys").status_code == 404
