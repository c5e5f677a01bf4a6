"""Who may do what at the emulated GitHub, seen from the product's edge."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest

from soulcaster.edges.github import GitHub, GitHubError
from tests.local.github_support import (
    READ,
    REPO,
    WRITE,
    World,
    change,
    key_pair,
    make_repository,
    publish,
    started,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with started(tmp_path) as running:
        yield running


def test_a_token_reads_its_repository(world: World) -> None:
    """The App's key buys a token that reads commits."""
    token = world.edge.installation_token(REPO, READ)
    assert token.startswith("ghs_")
    assert world.edge.contains(token, REPO, "main", world.base_sha(token))


def test_a_token_sees_no_other_repository(world: World) -> None:
    """A token for one repository gets 404 for its neighbour, as if it weren't there."""
    make_repository(world, "acme/cellar")
    token = world.edge.installation_token(REPO, WRITE)
    with pytest.raises(GitHubError) as refusal:
        world.edge.contains(token, "acme/cellar", "main", "0" * 40)
    assert (refusal.value.status, refusal.value.retryable) == (404, False)


def test_a_token_of_one_account_is_not_for_another(world: World) -> None:
    """Repositories of the same name in two accounts are not mixed up."""
    make_repository(world, "other/larder")
    token = world.edge.installation_token("other/larder", READ)
    sha = world.base_sha(world.edge.installation_token(REPO, READ))
    # Both were made of the same files, so that they start with the same commit.
    assert world.edge.contains(token, "other/larder", "main", sha)
    with pytest.raises(GitHubError, match="404"):
        world.edge.contains(token, REPO, "main", sha)


def test_a_read_token_writes_nothing(world: World) -> None:
    """contents:read can't make a commit: 403, in GitHub's words."""
    token = world.edge.installation_token(REPO, READ)
    base = world.base_sha(token)
    with pytest.raises(GitHubError, match="Resource not accessible by integration") as refusal:
        world.edge.commit_files(
            token, REPO, base, [change("a", "b")], message="m", author_date="2026-01-01T00:00:00Z"
        )
    assert (refusal.value.status, refusal.value.retryable) == (403, False)


def test_contents_permission_opens_no_pull_request(world: World) -> None:
    """Each permission is checked by itself."""
    token = world.edge.installation_token(REPO, {"contents": "write"})
    with pytest.raises(GitHubError, match="403"):
        publish(world, token)


def test_more_than_granted_is_refused(world: World) -> None:
    """A token can't get a permission that the installation was not given."""
    with pytest.raises(GitHubError, match="not granted to this installation") as refusal:
        world.edge.installation_token(REPO, {"workflows": "write"})
    assert refusal.value.status == 422


def test_app_not_installed(world: World) -> None:
    """Where the App is not installed there is no token: 404."""
    make_repository(world, "acme/private", installed=False)
    with pytest.raises(GitHubError) as refusal:
        world.edge.installation_token("acme/private", READ)
    assert refusal.value.status == 404


@pytest.mark.parametrize(
    ("change_claims", "said"),
    [
        ({"iss": "78"}, "could not be decoded"),
        ({"exp": int(time.time()) - 5}, "must be in the future"),
        ({"exp": int(time.time()) + 3600}, "too far in the future"),
        ({"iat": None}, "could not be decoded"),
    ],
)
def test_a_wrong_jwt_is_refused(world: World, change_claims: dict[str, object], said: str) -> None:
    """The App's JWT must be its own, in date, and short-lived."""
    now = int(time.time())
    claims = {"iat": now, "exp": now + 300, "iss": "77", **change_claims}
    signed = jwt.encode(
        {k: v for k, v in claims.items() if v is not None}, key_pair()[0], algorithm="RS256"
    )
    answer = world.as_token(signed).get("/app")
    assert answer.status_code == 401
    assert said in answer.json()["message"]


def test_a_jwt_signed_with_the_public_key_is_refused(world: World) -> None:
    """The algorithm is not the sender's to choose."""
    head, claims, _ = jwt.encode(
        {"iat": 1, "exp": int(time.time()) + 60, "iss": "77"}, "x" * 32, algorithm="HS256"
    ).split(".")
    assert world.as_token(f"{head}.{claims}.AAAA").get("/app").status_code == 401


def test_the_jwt_opens_only_the_app(world: World) -> None:
    """The App's JWT is no token for a repository; a token is not the App."""
    now = int(time.time())
    signed = jwt.encode(
        {"iat": now, "exp": now + 60, "iss": "77"}, key_pair()[0], algorithm="RS256"
    )
    app = world.as_token(signed)
    assert app.get("/app").json()["id"] == 77
    assert [found["id"] for found in app.get("/app/installations").json()] == [501]
    assert app.get(f"/repos/{REPO}").status_code == 404
    token = world.edge.installation_token(REPO, READ)
    assert world.as_token(token).get("/app").status_code == 401


def test_bad_and_missing_credentials(world: World) -> None:
    """A wrong token is 401; none at all finds no private repository and writes nothing."""
    with pytest.raises(GitHubError, match="Bad credentials") as refusal:
        world.edge.contains("ghs_wrong", REPO, "main", "0" * 40)
    assert refusal.value.status == 401
    assert httpx.get(f"{world.url}/repos/{REPO}").status_code == 404
    assert httpx.post(f"{world.url}/repos/{REPO}/issues", json={}).status_code == 401
    assert httpx.post(f"{world.url}/_local/issues", json={"repo": REPO}).status_code == 401


def test_another_app_is_nobody(world: World) -> None:
    """The edge with the wrong App id gets no token."""
    with pytest.raises(GitHubError, match="401"):
        GitHub(world.url, "78", key_pair()[0]).installation_token(REPO, READ)


def test_what_is_not_emulated_says_so(world: World) -> None:
    """An unknown call, field or filter is refused loudly, never ignored."""
    for answer in (
        world.person.get(f"/repos/{REPO}/branches"),
        world.person.delete(f"/repos/{REPO}"),
        world.person.get("/user"),
        world.person.get(f"/repos/{REPO}/issues", params={"assignee": "ada"}),
        world.person.post(f"/repos/{REPO}/issues", json={"title": "x", "milestone": 1}),
    ):
        assert answer.status_code == 501
        assert "not emulated" in answer.json()["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"title": "\\ud800"}', b"[" * 100_000])
def test_broken_json_is_400(world: World, body: bytes) -> None:
    """What is no JSON object, or can't be stored, is refused as GitHub does."""
    assert world.person.post(f"/repos/{REPO}/issues", content=body).status_code == 400
