"""Who a credential is."""

import time

from starlette.testclient import TestClient

from soulcaster.rules.project import Project
from tests.api.conftest import client_with, signed_in
from tests.support.people import ADA, BOB, EVE, give_installation, give_key, give_role


def test_a_person_has_roles(larder: Project, redis_url: str) -> None:
    """In each project that they belong to; of others they learn nothing."""
    give_role(redis_url, "larder", BOB, "maintainer")
    give_role(redis_url, "nowhere", BOB, "owner")  # there is no such project
    assert signed_in(BOB).get("/me").json() == {
        "by": "person",
        "id": BOB.id,
        "name": "bob",
        "owner": False,
        "claimed": False,
        "projects": [{"id": "larder", "name": "Larder", "role": "maintainer"}],
        "project": None,
        "scopes": None,
        "expires_at": None,
    }
    assert signed_in(EVE).get("/me").json()["projects"] == []


def test_an_owner_of_the_installation_owns_every_project(api: TestClient) -> None:
    """Those of others too; everybody learns that there is an owner."""
    for project in ("larder", "attic"):
        api.post("/projects", json={"id": project, "name": project.title()})
    me = api.get("/me").json()
    assert (me["owner"], me["claimed"]) == (True, True)
    assert me["projects"] == [
        {"id": "attic", "name": "Attic", "role": "owner"},
        {"id": "larder", "name": "Larder", "role": "owner"},
    ]
    others = signed_in(EVE).get("/me").json()
    assert (others["owner"], others["claimed"], others["projects"]) == (False, True, [])


def test_a_key_has_scopes(larder: Project, redis_url: str) -> None:
    """In its one project, until it ends."""
    give_installation(redis_url, ADA)
    until = int(time.time() * 1000) + 60_000
    text = give_key(redis_url, "larder", "triage", "read", expires=str(until))
    identifier = "key_larder_" + text.split("_")[2]
    assert client_with(text).get("/me").json() == {
        "by": "key",
        "id": identifier,
        "name": identifier,
        "owner": False,
        "claimed": True,
        "projects": [{"id": "larder", "name": "Larder", "role": None}],
        "project": "larder",
        "scopes": ["read", "triage"],
        "expires_at": until,
    }
    endless = client_with(give_key(redis_url, "larder", "read")).get("/me").json()
    assert endless["expires_at"] is None
