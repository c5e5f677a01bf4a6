"""Nobody gets more by a key than they have."""

import time
from typing import Any

import pytest

from soulcaster.rules.access import SCOPES
from soulcaster.rules.project import Project
from tests.api.conftest import client_with, signed_in
from tests.edges.servers import command, everything
from tests.support.people import BOB, give_key, give_role

KEYS = "/projects/larder/keys"
HOUR_MS = 3_600_000


@pytest.fixture(autouse=True)
def _project(larder: Project) -> None:
    """All keys are of this one."""


def key_id(text: str) -> str:
    return "key_larder_" + text.split("_")[2]


def in_hours(hours: float) -> int:
    return int(time.time() * 1000 + hours * HOUR_MS)


def wanted(*scopes: str, **more: Any) -> dict[str, Any]:
    return {"name": "made", "scopes": scopes, **more}


def is_refused(answer: Any) -> bool:
    """Whether it was too much, and said so."""
    if answer.status_code in (200, 201):
        return False
    assert answer.status_code == 403, answer.text
    assert "may do more, or lives longer, than itself" in answer.json()["detail"]
    return True


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_gives_no_scope_that_it_has_not(redis_url: str, scope: str) -> None:
    """With admin alone it makes keys with admin alone; of a refused one there is nothing."""
    mine = client_with(give_key(redis_url, "larder", "admin"))
    mine.get(KEYS)  # from now on `used` does not change
    before = everything(redis_url)
    answer = mine.post(KEYS, json=wanted("admin", scope))
    assert is_refused(answer) is (scope != "admin")
    if scope != "admin":
        assert everything(redis_url) == before
    whole = client_with(give_key(redis_url, "larder"))
    assert whole.post(KEYS, json=wanted("admin", scope)).status_code == 201


def test_a_key_makes_none_that_outlives_it(redis_url: str) -> None:
    """Not for ever, and not an instant longer; a key without an end makes any."""
    until = in_hours(48)
    mine = client_with(give_key(redis_url, "larder", expires=str(until)))
    assert is_refused(mine.post(KEYS, json=wanted("read")))
    assert is_refused(mine.post(KEYS, json=wanted("read", expires_at=until + 1)))
    assert is_refused(mine.post(KEYS, json=wanted("read", expires_in_days=3)))
    assert not is_refused(mine.post(KEYS, json=wanted("read", expires_at=until)))
    assert not is_refused(mine.post(KEYS, json=wanted("read", expires_in_days=1)))


def test_what_a_key_makes_makes_nothing_stronger(redis_url: str) -> None:
    """Generation for generation: scopes only get fewer, and the end only comes nearer."""
    first = client_with(give_key(redis_url, "larder", "admin", "fix", expires=str(in_hours(2))))
    answer = first.post(KEYS, json=wanted("admin", expires_at=in_hours(1)))
    second = client_with(answer.json()["key"])
    assert is_refused(second.post(KEYS, json=wanted("admin", "fix", expires_at=in_hours(0.5))))
    assert is_refused(second.post(KEYS, json=wanted("admin", expires_at=in_hours(1.5))))
    assert not is_refused(second.post(KEYS, json=wanted("admin", expires_at=in_hours(0.5))))


def test_a_key_rotates_none_that_is_stronger(redis_url: str) -> None:
    """The text of a stronger one would make it as strong; itself and weaker ones it may."""
    until = in_hours(2)
    own = give_key(redis_url, "larder", "admin", "read", expires=str(until))
    mine = client_with(own)

    def rotated(*scopes: str, expires: str = "") -> bool:
        other = key_id(give_key(redis_url, "larder", *scopes, expires=expires))
        return not is_refused(mine.post(f"{KEYS}/{other}/rotate"))

    assert not rotated("read", "fix", expires=str(until))
    assert not rotated("read")
    assert not rotated("read", expires=str(until + 1))
    assert rotated("read", expires=str(until))
    assert rotated("read", "admin", expires=str(until - 1))
    answer = mine.post(f"{KEYS}/{key_id(own)}/rotate")
    assert not is_refused(answer)
    assert answer.json()["scopes"] == ["read", "admin"]
    assert answer.json()["expires_at"] == until


def test_a_text_that_was_replaced_does_not_save_itself(redis_url: str) -> None:
    """Whoever has only the old one can't get another that lives longer than the overlap."""
    text = give_key(redis_url, "larder")
    old, at = client_with(text), f"{KEYS}/{key_id(text)}"
    until = in_hours(1)
    new = client_with(old.post(f"{at}/rotate", json={"overlap_seconds": 3600}).json()["key"])
    assert old.get(KEYS).status_code == 200
    assert is_refused(old.post(f"{at}/rotate"))
    assert is_refused(old.post(KEYS, json=wanted("read")))
    assert is_refused(old.post(KEYS, json=wanted("read", expires_at=until + HOUR_MS)))
    assert not is_refused(old.post(KEYS, json=wanted("read", expires_at=until - 60_000)))
    assert not is_refused(new.post(KEYS, json=wanted("read")))
    assert not is_refused(new.post(f"{at}/rotate"))


@pytest.mark.parametrize("role", ["maintainer", "viewer"])
def test_only_owners_make_keys(redis_url: str, role: str) -> None:
    """Not even one that may no more than they do; nor do they see or end any."""
    give_role(redis_url, "larder", BOB, role)
    bob, key = signed_in(BOB), key_id(give_key(redis_url, "larder"))
    for answer in (
        bob.post(KEYS, json=wanted("read")),
        bob.get(KEYS),
        bob.post(f"{KEYS}/{key}/rotate"),
        bob.delete(f"{KEYS}/{key}"),
    ):
        assert answer.status_code == 403
        assert "the scope admin" in answer.json()["detail"]
    give_role(redis_url, "larder", BOB, "owner")
    assert bob.post(KEYS, json=wanted(*SCOPES)).status_code == 201


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope != "admin"])
def test_a_key_without_admin_makes_none(redis_url: str, scope: str) -> None:
    """Not even a copy of itself."""
    text = give_key(redis_url, "larder", scope)
    mine = client_with(text)
    assert mine.post(KEYS, json=wanted(scope)).status_code == 403
    assert mine.post(f"{KEYS}/{key_id(text)}/rotate").status_code == 403


def test_a_key_is_no_person(redis_url: str) -> None:
    """It invites nobody, changes no role, and becomes no owner, whatever its scopes."""
    mine = client_with(give_key(redis_url, "larder"))
    give_role(redis_url, "larder", BOB, "viewer")
    for method, path, body in (
        ("GET", "/projects/larder/members", None),
        ("PUT", f"/projects/larder/members/{BOB.id}", {"role": "owner"}),
        ("DELETE", f"/projects/larder/members/{BOB.id}", None),
        ("DELETE", "/projects/larder/members/me", None),
        ("GET", "/projects/larder/invitations", None),
        ("POST", "/projects/larder/invitations", {"role": "owner"}),
        ("POST", "/invitations/accept", {"token": "sci_"}),
        ("POST", "/installation/owner", {"token": "sco_"}),
        ("GET", "/installation/audit", None),
    ):
        answer = mine.request(method, path, json=body)
        assert answer.status_code == 403, path
        assert "needs a person" in answer.json()["detail"]
    assert command(redis_url, "HGET", "p:larder:roles", BOB.id) == "viewer"


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_lists_its_project_only_if_it_may_read(redis_url: str, scope: str) -> None:
    """The list has the settings that `GET /projects/{project}` has, so it needs as much."""
    mine = client_with(give_key(redis_url, "larder", scope))
    listed, read = mine.get("/projects"), mine.get("/projects/larder")
    assert read.status_code == (200 if scope == "read" else 403)
    assert listed.json() == ([read.json()] if scope == "read" else [])
