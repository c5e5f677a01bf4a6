"""The secrets of sources: shown once, replaced with an overlap, and in no log."""

import base64
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.clock import now_ms
from soulcaster.edges.redis import Redis
from soulcaster.edges.source_store import SourceStore
from soulcaster.rules.source import Source
from tests.api.sourcing import make
from tests.edges.servers import command, everything

pytestmark = pytest.mark.usefixtures("larder")

PATH = "/sources/src_larder_web"
DAY_MS = 24 * 60 * 60 * 1000


def rotate(api: TestClient, **given: Any) -> Any:
    """The answer to replacing the secret."""
    return api.post(f"{PATH}/secret", json=given)


def stored(redis: Redis) -> Source:
    """The source as deliveries meet it."""
    (found,) = SourceStore(redis).sources([("larder", "src_larder_web")])
    assert found is not None
    return found


def later(redis: Redis, redis_url: str, milliseconds: int) -> None:
    """Have the time of what was replaced come so much nearer."""
    source = json.loads(stored(redis).to_json())
    for one in source["retiring"]:
        one["until"] -= milliseconds
    command(redis_url, "HSET", "p:larder:sources", "src_larder_web", json.dumps(source))


@pytest.mark.parametrize("kind", ["github", "standard"])
def test_a_secret_is_shown_once(api: TestClient, redis: Redis, kind: str) -> None:
    """It is what deliveries are checked with, and later it is nowhere to be read."""
    secret = make(api, kind=kind).json()["secret"]
    assert stored(redis).secrets == (secret,)
    for answer in (api.get("/sources?project=larder"), api.get(PATH), api.patch(PATH, json={})):
        assert answer.status_code == 200
        assert secret not in answer.text
        assert secret[-4:] in answer.text


def test_a_secret_of_standard_webhooks_has_its_form(api: TestClient) -> None:
    """The prefix, and 24 to 64 bytes in base64, as the specification asks."""
    secret = make(api).json()["secret"]
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64


def test_no_two_secrets_are_equal(api: TestClient) -> None:
    """Each source has a secret of its own, and each rotation makes another one."""
    secrets = [make(api, name=name).json()["secret"] for name in ("web", "other")]
    secrets += [rotate(api).json()["secret"] for _ in range(2)]
    assert len(set(secrets)) == 4


def test_a_secret_can_be_given(api: TestClient) -> None:
    """Sentry makes its own, so it has to be given; elsewhere it may be."""
    missing = make(api, kind="sentry")
    assert missing.status_code == 422
    assert missing.json()["detail"][0]["loc"] == ["body", "secret"]
    given = "a-client-secret-of-sentry"
    assert make(api, kind="sentry", secret=given).json()["secret"] == given
    assert make(api, name="other", secret=given).json()["secret"] == given
    assert rotate(api).json()["detail"][0]["loc"] == ["body", "secret"]
    assert rotate(api, secret="another-client-secret").json()["secret"] == "another-client-secret"


def test_what_is_not_signed_has_no_secret(api: TestClient, redis: Redis) -> None:
    """Giving one is a 422; replacing one, of built-in sources too, is a conflict."""
    config = {"subreddits": ["larder"]}
    refused = make(api, kind="reddit", config=config, secret="s" * 20)
    assert refused.json()["detail"][0]["loc"] == ["body", "secret"]
    assert make(api, kind="reddit", config=config).status_code == 201
    for source in ("web", "form", "api", "file"):
        answer = api.post(f"/sources/src_larder_{source}/secret", json={"secret": "s" * 20})
        assert answer.status_code == 409
    assert stored(redis).secrets == ()


def test_the_old_secret_is_accepted_for_a_while(api: TestClient, redis: Redis) -> None:
    """A day if nothing else is said; the new one at once."""
    old = make(api).json()["secret"]
    before = now_ms()
    rotated = rotate(api)
    assert rotated.status_code == 200
    new, (first, second) = rotated.json()["secret"], rotated.json()["secrets"]
    assert first == {"last4": new[-4:], "until": None}
    assert second["last4"] == old[-4:]
    assert before + DAY_MS <= second["until"] <= now_ms() + DAY_MS
    source = stored(redis)
    assert source.accepted(second["until"] - 1) == (new, old)
    assert source.accepted(second["until"]) == (new,)


def test_without_an_overlap_nothing_old_is_accepted(api: TestClient, redis: Redis) -> None:
    """What was replaced earlier is dropped too, as it may be what has leaked."""
    make(api)
    rotate(api)
    answer = rotate(api, overlap_seconds=0).json()
    assert answer["secrets"] == [{"last4": answer["secret"][-4:], "until": None}]
    assert stored(redis).accepted(0) == (answer["secret"],)


def test_so_many_replaced_secrets_are_accepted(
    api: TestClient, redis: Redis, redis_url: str
) -> None:
    """One more is a conflict, as it would lock a sender out; when their time is over it is none."""
    make(api)
    for _ in range(3):
        assert rotate(api, overlap_seconds=60).status_code == 200
    before = stored(redis)
    full = rotate(api)
    assert full.status_code == 409
    assert full.json()["detail"].startswith("secret: ")
    assert stored(redis) == before
    later(redis, redis_url, 60_000)
    assert rotate(api).status_code == 200
    assert len(stored(redis).retiring) == 1


def test_what_is_over_is_neither_shown_nor_kept(
    api: TestClient, redis: Redis, redis_url: str
) -> None:
    """It is dropped when something is written, whatever that is."""
    make(api)
    rotate(api, overlap_seconds=60)
    later(redis, redis_url, 60_000)
    assert len(api.get(PATH).json()["secrets"]) == 1
    assert len(stored(redis).retiring) == 1
    assert len(api.patch(PATH, json={"per_minute": 5}).json()["secrets"]) == 1
    assert stored(redis).retiring == ()


def test_a_given_secret_can_be_given_again(api: TestClient, redis: Redis) -> None:
    """To send a rotation again whose answer was lost changes nothing; no secret is in it twice."""
    old = make(api, secret="o" * 20).json()["secret"]
    for _ in range(2):
        assert rotate(api, secret="n" * 20).json()["secret"] == "n" * 20
        assert [one.secret for one in stored(redis).retiring] == [old]
    assert rotate(api, secret=old).json()["secret"] == old
    assert [one.secret for one in stored(redis).retiring] == ["n" * 20]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("secret", value) for value in ("short", "s" * 201, "s" * 20 + "\n", "é" * 20, 5)),
        *(("overlap_seconds", value) for value in (-1, 604_801, 1.5, "long", None)),
        ("until", 5),
    ],
)
def test_the_field_at_fault_is_named(api: TestClient, redis: Redis, field: str, value: Any) -> None:
    """422 with the field and without its value, and the secret stays."""
    make(api)
    before = stored(redis)
    answer = rotate(api, **{field: value})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert "input" not in answer.json()["detail"][0]
    assert stored(redis) == before


def test_changes_are_logged_without_secrets(api: TestClient, redis_url: str) -> None:
    """Who did what to which source, once each, and only what it changed; no part of a secret."""
    secrets = [make(api, filters={"include": ["export"]}).json()["secret"]]
    secrets.append(rotate(api, overlap_seconds=60).json()["secret"])
    for _ in range(2):
        api.patch(PATH, json={"enabled": False, "filters": {}})
    secrets.append(rotate(api, overlap_seconds=0).json()["secret"])
    api.delete(PATH)
    log = {name: value for name, value in everything(redis_url).items() if ":aud:" in name}
    entries = sorted(log.values(), key=lambda entry: int(entry["id"]))
    assert [(entry["what"], entry["on"], entry["name"]) for entry in entries] == [
        ("made source", "src_larder_web", "ada"),
        ("rotated secret", "src_larder_web", "ada"),
        ("changed source", "src_larder_web", "ada"),
        ("rotated secret", "src_larder_web", "ada"),
        ("removed source", "src_larder_web", "ada"),
    ]
    said = [(json.loads(entry["before"]), json.loads(entry["after"])) for entry in entries]
    made = {"kind": "standard", "name": "web", "enabled": True, "per_minute": 600}
    assert said[0] == (None, {**made, "filters": {"include": ["export"]}})
    assert list(said[1][1]) == ["retiring_until"]
    assert said[2] == ({"enabled": True, "filters": {"include": ["export"]}}, {"enabled": False})
    assert list(said[3][0]) == ["retiring_until"]
    assert said[4] == ({**made, "enabled": False}, {})
    assert not any(secret[-4:] in json.dumps(said) for secret in secrets)


def test_nothing_has_to_be_said_to_replace_a_secret(api: TestClient, redis: Redis) -> None:
    """Without a body the new secret is made here, and the old one is accepted for a day."""
    old = make(api, kind="github").json()["secret"]
    answer = api.post(f"{PATH}/secret")
    assert answer.status_code == 200
    source = stored(redis)
    assert source.secrets == (answer.json()["secret"],)
    assert [one.secret for one in source.retiring] == [old]
