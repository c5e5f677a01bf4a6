"""What looking after people and keys costs."""

import pytest
from starlette.testclient import TestClient

from soulcaster.rules.project import Project
from tests.api.requests import scripts
from tests.api.routes_table import request
from tests.support.people import ADA, BOB, give_role

ROUTES = {
    ("GET", "/me"): 200,
    ("GET", "/audit"): 200,
    ("GET", "/installation/audit"): 200,
    ("POST", "/installation/owner"): 404,
    ("GET", "/projects/{project}/keys"): 200,
    ("POST", "/projects/{project}/keys"): 201,
    ("POST", "/projects/{project}/keys/{key}/rotate"): 200,
    ("DELETE", "/projects/{project}/keys/{key}"): 204,
    ("GET", "/projects/{project}/members"): 200,
    ("PUT", "/projects/{project}/members/{person}"): 204,
    ("DELETE", "/projects/{project}/members/{person}"): 204,
    ("DELETE", "/projects/{project}/members/me"): 409,
    ("GET", "/projects/{project}/invitations"): 200,
    ("POST", "/projects/{project}/invitations"): 201,
    ("DELETE", "/projects/{project}/invitations/{invitation}"): 204,
    ("POST", "/invitations/accept"): 200,
}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_each_is_one_request(
    api: TestClient,
    redis_url: str,
    larder: Project,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
) -> None:
    """To Redis: the look whether the caller may and the work are one."""
    give_role(redis_url, "larder", ADA, "owner")
    give_role(redis_url, "larder", BOB, "viewer")
    invitation = api.post("/projects/larder/invitations", json={"role": "viewer"}).json()
    key = api.post("/projects/larder/keys", json={"name": "n", "scopes": ["read"]}).json()
    ids = {
        "person": BOB.id,
        "key": key["id"],
        "invitation": invitation["id"],
        "token": invitation["token"],
    }
    ran = scripts(monkeypatch)
    answer = api.request(**request(method, path, ids))
    assert answer.status_code == ROUTES[method, path], answer.text
    assert len(ran) == 1
