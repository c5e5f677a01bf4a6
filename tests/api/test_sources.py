import base64
from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis

pytestmark = pytest.mark.usefixtures("larder")


def make(api: TestClient, **given: Any) -> Any:
    return api.post("/sources", json={"project": "larder", "name": "web", **given})


def listed(api: TestClient) -> Any:
    return api.get("/sources", params={"project": "larder"}).json()


@pytest.mark.parametrize("kind", ["github", "sentry", "standard"])
def test_a_secret_is_shown_once(api: TestClient, redis: Redis, kind: str) -> None:
    """With the address to paste; later the secret is nowhere to be read."""
    made = make(api, kind=kind)
    assert made.status_code == 201
    body = made.json()
    assert body["id"] == "src_larder_web"
    assert body["webhook"] == "https://api.example/webhooks/larder/src_larder_web"
    (stored,) = ProjectStore(redis).sources([("larder", "src_larder_web")])
    assert stored is not None
    assert stored.secrets == (body["secret"],)
    secret = body.pop("secret")
    assert len(secret) >= 32
    assert listed(api) == [body]
    assert secret not in str(listed(api))


def test_a_secret_of_standard_webhooks_has_its_form(api: TestClient) -> None:
    """The prefix, and 24 to 64 bytes in base64, as the specification asks."""
    secret = make(api, kind="standard").json()["secret"]
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64


def test_a_secret_can_be_given(api: TestClient) -> None:
    """Sentry makes its own; it is taken as it is."""
    given = "a-client-secret-of-sentry"
    assert make(api, kind="sentry", secret=given).json()["secret"] == given


def test_no_two_secrets_are_equal(api: TestClient) -> None:
    """Each source has a secret of its own, and so has a source that is made again."""
    secrets = {make(api, kind="github", name=name).json()["secret"] for name in ("a", "b", "a")}
    assert len(secrets) == 3
    assert len(listed(api)) == 2


def test_reddit_has_neither_secret_nor_address(api: TestClient, redis: Redis) -> None:
    """It is polled: what it needs is the names of subreddits."""
    made = make(api, kind="reddit", subreddits=["larder", "meal_prep"])
    body = made.json()
    assert (body["secret"], body["webhook"]) == (None, None)
    assert body["config"] == {"subreddits": ["larder", "meal_prep"]}
    ((polled, _, _),) = ProjectStore(redis).polled()
    assert polled.config == body["config"]


def test_github_is_polled_on_request(api: TestClient, redis: Redis) -> None:
    """Only where somebody asked for it, and for the repository that was named."""
    make(api, kind="github", repository="acme/other")
    assert ProjectStore(redis).polled() == []
    made = make(api, kind="github", poll=True, repository="acme/other")
    assert made.json()["config"] == {"poll": True, "repository": "acme/other"}
    assert len(ProjectStore(redis).polled()) == 1


@pytest.mark.parametrize("project", ["nobody", "lard"])
def test_a_source_needs_its_project(api: TestClient, project: str) -> None:
    """404 for a project that is not there, in making and in listing."""
    assert make(api, kind="github", project=project).status_code == 404
    assert api.get("/sources", params={"project": project}).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("project", value) for value in ("", "A", "a_b", "a:b", None)),
        *(("name", value) for value in ("", "A", "a_b", "-a", "n" * 41, "a/b", None)),
        *(("kind", value) for value in ("", "gitlab", None, 5)),
        *(("secret", value) for value in ("short", "s" * 201, 5)),
        *(("subreddits", value) for value in ("larder", ["../x"], ["a"], ["ok"] * 21, [5])),
        *(("repository", value) for value in ("larder", "a/b/c", 5)),
        ("poll", "perhaps"),
        ("webhook", "https://evil.example"),
    ],
)
def test_the_field_at_fault_is_named(api: TestClient, field: str, value: Any) -> None:
    """422 with the field, and nothing is made."""
    answer = make(api, **{"kind": "github", field: value})
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"][:2] == ["body", field]
    assert listed(api) == []
