"""The people of a project."""

import pytest
from starlette.testclient import TestClient

from soulcaster.rules.project import Project
from tests.api.conftest import signed_in
from tests.edges.servers import everything
from tests.support.people import ADA, BOB, EVE, give_installation, give_role

MEMBERS = "/projects/larder/members"


@pytest.fixture(autouse=True)
def _people(larder: Project, redis_url: str) -> None:
    """Ada owns the project, Bob maintains it; Eve has another one."""
    give_role(redis_url, "larder", ADA, "owner")
    give_role(redis_url, "larder", BOB, "maintainer")
    give_role(redis_url, "other", EVE, "owner")


@pytest.fixture
def ada(redis_url: str) -> TestClient:
    """A client for the project's owner, who is nobody special elsewhere."""
    return signed_in(ADA)


def roles(client: TestClient) -> dict[str, str]:
    answer = client.get(MEMBERS)
    assert answer.status_code == 200, answer.text
    return {one["name"]: one["role"] for one in answer.json()}


def audited(client: TestClient) -> list[str]:
    found = client.get("/audit", params={"project": "larder"}).json()["items"]
    return [f"{one['name']} {one['what']} {one['on']}" for one in found]


def test_members_are_listed_by_name(ada: TestClient) -> None:
    """Whoever belongs to the project sees who else does."""
    assert signed_in(BOB).get(MEMBERS).json() == [
        {"id": ADA.id, "name": "ada", "role": "owner", "since": 0},
        {"id": BOB.id, "name": "bob", "role": "maintainer", "since": 0},
    ]
    assert signed_in(EVE).get(MEMBERS).status_code == 404


def test_whoever_makes_a_project_owns_it(api: TestClient) -> None:
    """And is a member from then on."""
    api.post("/projects", json={"id": "cellar", "name": "Cellar"})
    (one,) = api.get("/projects/cellar/members").json()
    assert (one["id"], one["role"]) == (ADA.id, "owner")
    assert one["since"] > 0


def test_a_role_is_changed_and_counts_at_once(ada: TestClient) -> None:
    """The very next request is looked at by it; to say it again changes nothing."""
    bob = signed_in(BOB)
    for role, status in (("owner", 200), ("viewer", 403)):
        for _ in range(2):
            answer = ada.put(f"{MEMBERS}/{BOB.id}", json={"role": role})
            assert answer.status_code == 204
        assert roles(ada)["bob"] == role
        assert bob.get("/audit", params={"project": "larder"}).status_code == status
    assert audited(ada) == [f"ada changed role {BOB.id}"] * 2
    (last, _) = ada.get("/audit", params={"project": "larder"}).json()["items"]
    assert last["before"] == {"name": "bob", "role": "owner"}
    assert last["after"] == {"role": "viewer"}


@pytest.mark.parametrize("person", [EVE.id, "github:0", "github:1x", "ada", "github:" + "1" * 20])
def test_who_is_no_member_gets_no_role(ada: TestClient, redis_url: str, person: str) -> None:
    """404; people come by invitation alone."""
    before = everything(redis_url)
    for answer in (
        ada.put(f"{MEMBERS}/{person}", json={"role": "viewer"}),
        ada.delete(f"{MEMBERS}/{person}"),
    ):
        assert answer.status_code == 404
        assert answer.json() == {"detail": "there is no such member"}
    assert everything(redis_url) == before


def test_a_role_is_one_of_three(ada: TestClient) -> None:
    """422 for others."""
    for body in ({"role": "god"}, {}, {"role": "owner", "more": 1}):
        assert ada.put(f"{MEMBERS}/{BOB.id}", json=body).status_code == 422


def test_who_is_removed_sees_nothing_any_more(ada: TestClient, redis_url: str) -> None:
    """From the next request on; no trace of a membership is left."""
    bob = signed_in(BOB)
    assert bob.get("/clusters", params={"project": "larder"}).status_code == 200
    assert ada.delete(f"{MEMBERS}/{BOB.id}").status_code == 204
    assert bob.get("/clusters", params={"project": "larder"}).status_code == 404
    assert bob.get("/projects").json() == []
    assert roles(ada) == {"ada": "owner"}
    assert f"sys:person:{BOB.id}:projects" not in everything(redis_url)
    assert ada.delete(f"{MEMBERS}/{BOB.id}").status_code == 404
    assert audited(ada) == [f"ada removed member {BOB.id}"]


def test_everybody_may_leave(ada: TestClient, redis_url: str) -> None:
    """A viewer too; whoever is no member has nothing to leave."""
    give_role(redis_url, "larder", BOB, "viewer")
    bob = signed_in(BOB)
    assert bob.delete(f"{MEMBERS}/{ADA.id}").status_code == 403
    assert bob.delete(f"{MEMBERS}/me").status_code == 204
    assert bob.delete(f"{MEMBERS}/me").status_code == 404
    assert audited(ada) == [f"bob left project {BOB.id}"]
    give_installation(redis_url, EVE)
    answer = signed_in(EVE).delete(f"{MEMBERS}/me")
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no such member")


def test_the_last_owner_stays(ada: TestClient, redis_url: str) -> None:
    """409, whether they go, are taken out or become less, by themselves or by the installation's
    owner; with a second owner they can.
    """
    give_installation(redis_url, EVE)
    before = everything(redis_url)
    for client in (ada, signed_in(EVE)):
        for answer in (
            client.delete(f"{MEMBERS}/{ADA.id}"),
            client.put(f"{MEMBERS}/{ADA.id}", json={"role": "viewer"}),
            *([client.delete(f"{MEMBERS}/me")] if client is ada else []),
        ):
            assert answer.status_code == 409
            assert "make somebody one first" in answer.json()["detail"]
        assert client.put(f"{MEMBERS}/{ADA.id}", json={"role": "owner"}).status_code == 204
    assert everything(redis_url) == before
    ada.put(f"{MEMBERS}/{BOB.id}", json={"role": "owner"})
    assert ada.put(f"{MEMBERS}/{ADA.id}", json={"role": "viewer"}).status_code == 204
    assert roles(ada) == {"ada": "viewer", "bob": "owner"}


@pytest.mark.parametrize("role", ["maintainer", "viewer"])
def test_nobody_makes_themselves_more(redis_url: str, role: str) -> None:
    """Nor others less."""
    give_role(redis_url, "larder", BOB, role)
    bob, before = signed_in(BOB), everything(redis_url)
    for person in (ADA, BOB, EVE):
        for wanted in ("owner", "viewer"):
            answer = bob.put(f"{MEMBERS}/{person.id}", json={"role": wanted})
            assert answer.status_code == 403
        assert bob.delete(f"{MEMBERS}/{person.id}").status_code == 403
    assert everything(redis_url) == before


def test_another_projects_owner_changes_nobody(redis_url: str) -> None:
    """There is no such project for them, and in theirs no such member."""
    eve, before = signed_in(EVE), everything(redis_url)
    for project in ("larder", "other"):
        at = f"/projects/{project}/members/{BOB.id}"
        assert eve.put(at, json={"role": "viewer"}).status_code == 404
        assert eve.delete(at).status_code == 404
    assert everything(redis_url) == before
