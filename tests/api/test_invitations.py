"""How people come to belong to a project."""

import json
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from local.dashboard import Person
from soulcaster.rules import api_key
from soulcaster.rules.project import Project
from tests.api.conftest import signed_in
from tests.edges.servers import command, everything
from tests.support.people import ADA, BOB, EVE, PEPPER, give_role

INVITATIONS = "/projects/larder/invitations"
WEEK_MS = 7 * 86_400_000


@pytest.fixture(autouse=True)
def _project(larder: Project) -> None:
    """All invitations are to this one."""


@pytest.fixture
def ada(redis_url: str) -> TestClient:
    """A client for the project's owner."""
    give_role(redis_url, "larder", ADA, "owner")
    return signed_in(ADA)


def invited(client: TestClient, role: str = "maintainer", **more: Any) -> dict[str, Any]:
    answer = client.post(INVITATIONS, json={"role": role, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def accepted(person: Person, token: str) -> int:
    """The status that the person's try has."""
    answer = signed_in(person).post("/invitations/accept", json={"token": token})
    if answer.status_code != 200:
        assert answer.json() == {"detail": "there is no such invitation"}
    return answer.status_code


def test_who_is_invited_belongs_to_the_project(ada: TestClient) -> None:
    """With the role of the invitation, once; who did what is in the log."""
    made = invited(ada)
    token = made.pop("token")
    assert api_key.parse(token, api_key.INVITATION) == api_key.Parts("larder", made["id"])
    assert made["expires_at"] - made["created_at"] == WEEK_MS
    assert (made["role"], made["login"], made["made_by"]) == ("maintainer", None, "ada")
    assert ada.get(INVITATIONS).json() == [made]
    bob = signed_in(BOB)
    assert bob.get("/clusters", params={"project": "larder"}).status_code == 404
    answer = bob.post("/invitations/accept", json={"token": token})
    assert answer.json() == {"id": "larder", "name": "Larder", "role": "maintainer"}
    assert bob.get("/clusters", params={"project": "larder"}).status_code == 200
    assert [one["id"] for one in bob.get("/projects").json()] == ["larder"]
    members = ada.get("/projects/larder/members").json()
    assert [(one["name"], one["role"]) for one in members] == [
        ("ada", "owner"),
        ("bob", "maintainer"),
    ]
    assert members[1]["since"] >= made["created_at"]
    assert ada.get(INVITATIONS).json() == []
    assert [accepted(person, token) for person in (BOB, EVE)] == [404, 404]
    log = ada.get("/audit", params={"project": "larder"}).json()["items"]
    assert [(one["name"], one["what"], one["on"]) for one in log] == [
        ("bob", "accepted invitation", made["id"]),
        ("ada", "invited", made["id"]),
    ]


def test_no_text_of_an_invitation_is_kept(ada: TestClient, redis_url: str) -> None:
    """Only its HMAC under the pepper, and after it was used not even that."""
    token = invited(ada)["token"]
    held = json.dumps(everything(redis_url))
    assert api_key.mac(PEPPER, token) in held
    assert token.split("_")[-1][: api_key.SECRET_CHARS] not in held
    assert accepted(BOB, token) == 200
    held = json.dumps(everything(redis_url))
    assert api_key.mac(PEPPER, token) not in held
    assert token.split("_")[-1][: api_key.SECRET_CHARS] not in held


def test_one_for_a_login_is_for_nobody_else(ada: TestClient) -> None:
    """As GitHub takes logins: capitals make no difference. A wrong try doesn't use it up."""
    made = invited(ada, login="BoB")
    assert made["login"] == "BoB"
    assert accepted(EVE, made["token"]) == 404
    assert accepted(Person(14, "bobby"), made["token"]) == 404
    assert accepted(BOB, made["token"]) == 200


@pytest.mark.parametrize(
    ("was", "by", "then"),
    [
        ("owner", "viewer", "owner"),
        ("maintainer", "maintainer", "maintainer"),
        ("maintainer", "viewer", "maintainer"),
        ("viewer", "maintainer", "maintainer"),
        ("viewer", "owner", "owner"),
    ],
)
def test_nobody_becomes_less(ada: TestClient, redis_url: str, was: str, by: str, then: str) -> None:
    """Who is more already stays so, and the invitation is used up."""
    give_role(redis_url, "larder", BOB, was)
    token = invited(ada, by)["token"]
    assert accepted(BOB, token) == 200
    assert signed_in(BOB).get("/me").json()["projects"] == [
        {"id": "larder", "name": "Larder", "role": then}
    ]
    members = ada.get("/projects/larder/members").json()
    assert [one["since"] for one in members if one["id"] == BOB.id] == [0]
    assert accepted(EVE, token) == 404


def test_one_that_is_over_is_none(ada: TestClient, redis_url: str) -> None:
    """Taken back, expired, mistyped, or never there."""
    gone, late, wrong = (invited(ada) for _ in range(3))
    assert ada.delete(f"{INVITATIONS}/{gone['id']}").status_code == 204
    assert ada.delete(f"{INVITATIONS}/{gone['id']}").status_code == 404
    past = int(time.time() * 1000)
    command(redis_url, "HSET", f"p:larder:invitation:{late['id']}", "expires", past)
    command(redis_url, "ZADD", "p:larder:invitations", past, late["id"])
    assert ada.delete(f"{INVITATIONS}/{late['id']}").status_code == 404
    another = api_key.new_key(wrong["id"], api_key.INVITATION)
    elsewhere = api_key.new_key("inv_other_" + wrong["id"][-8:], api_key.INVITATION)
    for text in (gone["token"], late["token"], another, elsewhere, wrong["token"][:-1], "", "x"):
        assert accepted(BOB, text) == 404
    assert [one["id"] for one in ada.get(INVITATIONS).json()] == [wrong["id"]]
    assert accepted(BOB, wrong["token"]) == 200


def test_a_hundred_are_pending_at_most(ada: TestClient, redis_url: str) -> None:
    """409 for one more; those that are over make room."""
    made = [invited(ada, "viewer") for _ in range(100)]
    answer = ada.post(INVITATIONS, json={"role": "viewer"})
    assert (answer.status_code, "the limit" in answer.json()["detail"]) == (409, True)
    assert len(ada.get(INVITATIONS).json()) == 100
    assert accepted(BOB, made[0]["token"]) == 200
    assert invited(ada)
    assert ada.post(INVITATIONS, json={"role": "viewer"}).status_code == 409
    command(redis_url, "ZADD", "p:larder:invitations", int(time.time() * 1000), made[1]["id"])
    assert invited(ada)


@pytest.mark.parametrize(
    "body", [{}, {"role": "god"}, {"role": "viewer", "login": "a b"}, {"role": "viewer", "x": 1}]
)
def test_the_field_at_fault_is_named(ada: TestClient, body: dict[str, Any]) -> None:
    """422, and nobody is invited."""
    assert ada.post(INVITATIONS, json=body).status_code == 422
    assert ada.get(INVITATIONS).json() == []


@pytest.mark.parametrize("role", ["maintainer", "viewer", None])
def test_only_owners_invite(ada: TestClient, redis_url: str, role: str | None) -> None:
    """Nobody lets themselves or others in by a role that has no say in it."""
    made = invited(ada)
    if role:
        give_role(redis_url, "larder", BOB, role)
    bob, status = signed_in(BOB), 403 if role else 404
    for answer in (
        bob.post(INVITATIONS, json={"role": "viewer"}),
        bob.get(INVITATIONS),
        bob.delete(f"{INVITATIONS}/{made['id']}"),
    ):
        assert answer.status_code == status
    assert [one["id"] for one in ada.get(INVITATIONS).json()] == [made["id"]]


@pytest.mark.parametrize("how", ["removed", "left", "demoted"])
def test_nobody_comes_back_by_their_own(ada: TestClient, redis_url: str, how: str) -> None:
    """Who is an owner no more has their invitations taken back, and nobody else's; it is noted."""
    give_role(redis_url, "larder", EVE, "owner")
    eve, member = signed_in(EVE), f"/projects/larder/members/{EVE.id}"
    mine, hers = invited(ada), [invited(eve, "owner"), invited(eve, "viewer", login="bob")]
    gone = {
        "removed": lambda: ada.delete(member),
        "left": lambda: eve.delete("/projects/larder/members/me"),
        "demoted": lambda: ada.put(member, json={"role": "viewer"}),
    }
    assert gone[how]().status_code == 204
    assert [accepted(EVE, hers[0]["token"]), accepted(BOB, hers[1]["token"])] == [404, 404]
    assert [one["id"] for one in ada.get(INVITATIONS).json()] == [mine["id"]]
    log = ada.get("/audit", params={"project": "larder"}).json()["items"]
    assert {one["on"] for one in log[:2]} == {one["id"] for one in hers}
    assert {one["what"] for one in log[:2]} == {"took invitation back"}
    assert accepted(BOB, mine["token"]) == 200


def test_another_projects_invitation_is_not_there(ada: TestClient, redis_url: str) -> None:
    """An owner of another project can't take it back."""
    made = invited(ada)
    give_role(redis_url, "other", EVE, "owner")
    eve = signed_in(EVE)
    for path in (INVITATIONS, "/projects/other/invitations"):
        assert eve.delete(f"{path}/{made['id']}").status_code == 404
    assert accepted(BOB, made["token"]) == 200
