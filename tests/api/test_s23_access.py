"""S23: who may call what. The table here is the test's own: it says what has to come of it."""

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

from local.dashboard import Dashboard, Person, key_set
from soulcaster.edges.redis import Redis
from soulcaster.rules import api_key
from soulcaster.rules.access import REQUESTS_PER_MINUTE
from tests.api.access_table import TABLE, Row
from tests.api.conftest import DASHBOARD, client_with, signed_in
from tests.api.routes_table import request, routes
from tests.api.seeded import Seeded, seed
from tests.edges.servers import back, command, everything, keep
from tests.support.people import ADA, AUDIENCE, BOB, EVE, give_key, give_role

SCOPES = ("ingest", "read", "triage", "fix", "admin")
ROLES: dict[str, set[str]] = {
    "viewer": {"read"},
    "maintainer": {"ingest", "read", "triage", "fix"},
    "owner": set(SCOPES),
}
PUBLIC = DASHBOARD.public()["x"]
REQUIRED = ("iss", "aud", "sub", "exp", "jti", "name")
STRANGER = Dashboard("stranger")
PEOPLE = {role: Person(21 + number, role) for number, role in enumerate(ROLES)}


def claims(**changed: Any) -> str:
    return DASHBOARD.token(ADA, AUDIENCE, **changed)


def forged(algorithm: str, key: Any) -> str:
    """A token for an owner that is signed in another way, by the name of the dashboard's key."""
    good = jwt.decode(claims(), options={"verify_signature": False})
    return jwt.encode(good, key, algorithm=algorithm, headers={"kid": "2026-11"})


def tampered() -> str:
    """Somebody else's token with the claims of an owner's."""
    head, _, signature = DASHBOARD.token(EVE, AUDIENCE).split(".")
    return ".".join((head, claims().split(".")[1], signature))


TOKENS: dict[str, Callable[[], str]] = {
    "nothing": str,
    "a word": lambda: "wrong",
    "another language": lambda: "Bärer",
    "alg none": lambda: forged("none", None),
    "signed with the public key": lambda: forged("HS256", PUBLIC),
    "of another dashboard": lambda: STRANGER.token(ADA, AUDIENCE),
    "of another dashboard by our name": lambda: Dashboard("2026-11").token(ADA, AUDIENCE),
    "tampered with": tampered,
    "for another installation": lambda: claims(aud="another"),
    "for several": lambda: claims(aud=["another", "third"]),
    "by another issuer": lambda: claims(iss="https://issuer.example"),
    "expired": lambda: claims(exp=int(time.time()) - 31),
    "good for an hour": lambda: claims(exp=int(time.time()) + 3600),
    "not yet good": lambda: claims(nbf=int(time.time()) + 600),
    **{f"without {name}": partial(claims, **{name: None}) for name in REQUIRED},
    "of nobody": lambda: claims(sub=""),
    "of no GitHub user": lambda: claims(sub="google:1"),
    "with a number for a name": lambda: claims(name=7),
    "with markup for a name": lambda: claims(name="<b>"),
}


def keys(redis_url: str) -> dict[str, str]:
    """Keys that were good once, or look as if they were."""
    now, scopes = int(time.time() * 1000), SCOPES
    good = give_key(redis_url, "larder")
    wrong = good[:-7] + ("0" if good[-7] != "0" else "1") + good[-6:]
    return {
        "one character wrong": wrong,
        "cut": good[:-1],
        "longer": good + "0",
        "upper case": good.upper(),
        "revoked": give_key(redis_url, "larder", *scopes, revoked=str(now)),
        "expired": give_key(redis_url, "larder", *scopes, expires=str(now - 1)),
        "under another pepper": give_key(redis_url, "larder", *scopes, pepper="another"),
        "of no project": api_key.new_key(api_key.new_id("nowhere")),
        "rotated out": _rotated_out(redis_url, now),
    }


def _rotated_out(redis_url: str, now: int) -> str:
    text = give_key(redis_url, "larder")
    identifier = "key_larder_" + text.split("_")[2]
    at = f"p:larder:key:{identifier}"
    old = command(redis_url, "HGET", at, "mac")
    command(redis_url, "HSET", at, "mac", "0" * 64, "old_mac", old, "old_until", now - 1)
    return text


@pytest.fixture
def seeded(redis: Redis, redis_url: str) -> Seeded:
    """A project that has one of everything."""
    return seed(redis, redis_url)


def ask(client: TestClient, method: str, path: str, seeded: Seeded) -> Any:
    """A well-formed request for something that is there."""
    return client.request(**request(method, path, seeded.ids))


def lasting(redis_url: str) -> dict[str, Any]:
    """All that Redis holds, but for when a key was last used."""
    return {
        key: {k: v for k, v in value.items() if k != "used"} if isinstance(value, dict) else value
        for key, value in everything(redis_url).items()
    }


def test_s23_the_table_is_whole() -> None:
    """Every route has a row here, and every row is a route."""
    assert sorted(TABLE) == routes()


@pytest.mark.parametrize(("method", "path"), routes())
def test_s23_what_is_no_credential_is_401(
    anybody: TestClient, seeded: Seeded, redis_url: str, method: str, path: str
) -> None:
    """No credential, a forged, foreign, expired or revoked one: 401, and nothing has happened."""
    credentials = {name: make() for name, make in TOKENS.items()} | keys(redis_url)
    before = lasting(redis_url)
    headers = [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {claims()}"},
        {"authorization": claims()},
        {"x-api-key": claims()},
        {"cookie": f"authorization=Bearer {claims()}"},
        *({"authorization": f"Bearer {text}"} for text in credentials.values()),
    ]
    for one in headers:
        raw = {name: value.encode() for name, value in one.items()}
        answer = anybody.request(
            **request(method, path, seeded.ids),
            headers=raw,  # type: ignore[arg-type]
        )
        assert answer.status_code == 401, (one, answer.text)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "expired or revoked" in answer.json()["detail"]
    assert lasting(redis_url) == before


def callers(redis_url: str) -> dict[str, TestClient]:
    """Everybody there is: a key of each scope, one of all, people of each role, and others."""
    give_role(redis_url, "other", BOB, "owner")
    for role, person in PEOPLE.items():
        give_role(redis_url, "larder", person, role)
    return {
        "installation's owner": signed_in(ADA),
        **{role: signed_in(person) for role, person in PEOPLE.items()},
        **{
            f"key to {scope}": client_with(give_key(redis_url, "larder", scope)) for scope in SCOPES
        },
        "key to all": client_with(give_key(redis_url, "larder")),
        "another project's owner": signed_in(BOB),
        "another project's key": client_with(give_key(redis_url, "other")),
        "stranger": signed_in(EVE),
    }


def verdict(name: str, row: Row) -> int:
    """What the caller of that name is answered by a route."""
    outside = name.startswith("another") or name == "stranger"
    if "key" in name and row.people:
        return 404 if outside and row.needs not in ("self", "installation") else 403
    if row.needs == "self":
        return row.done
    if name == "installation's owner":
        return row.done
    if row.needs == "installation":
        return 403
    if outside:
        return 404
    has = ROLES.get(name)
    if has is None:
        has = set(SCOPES) if name == "key to all" else {name.removeprefix("key to ")}
    return row.done if row.needs in has else 403


@pytest.mark.parametrize(("method", "path"), routes())
def test_s23_who_may_do_what(seeded: Seeded, redis_url: str, method: str, path: str) -> None:
    """Everybody is answered as the table says: another project's people and keys that there is no
    such thing, those who may not do this so. Of refused requests nothing has happened.
    """
    row, clients = TABLE[method, path], callers(redis_url)
    before = lasting(redis_url)
    for name, client in clients.items():
        status = verdict(name, row)
        if status in (403, 404):
            answer = ask(client, method, path, seeded)
            assert answer.status_code == status, (name, answer.text)
            assert set(answer.json()) == {"detail"}
            assert lasting(redis_url) == before, name


@pytest.mark.parametrize(("method", "path"), routes())
def test_s23_who_may_can(seeded: Seeded, redis_url: str, method: str, path: str) -> None:
    """Each of those who may do it gets it done."""
    row = TABLE[method, path]
    allowed = {
        name: client
        for name, client in callers(redis_url).items()
        if verdict(name, row) == row.done
    }
    assert allowed
    keep(redis_url)
    for name, client in allowed.items():
        back(redis_url)
        answer = ask(client, method, path, seeded)
        assert answer.status_code == row.done, (name, answer.text)


def test_s23_no_key_is_kept(seeded: Seeded, redis_url: str) -> None:
    """Of keys, invitations and what they are told apart by, Redis has nothing that opens a door."""
    held = json.dumps(everything(redis_url))
    for text in seeded.secrets:
        assert text not in held
        assert text.split("_")[-1][:40] not in held


def test_s23_a_credential_in_the_address_is_none(anybody: TestClient) -> None:
    """Addresses are logged: a credential in one counts for nothing."""
    query = {"key": claims(), "authorization": claims(), "access_token": claims()}
    assert anybody.get("/projects", params=query).status_code == 401


def test_s23_keys_are_rotated_with_both_live(
    seeded: Seeded, redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two pinned keys of the dashboard each opens; of one that is no longer pinned none does."""
    old, new = Dashboard("old"), Dashboard("new")
    for pinned, opened in (((old,), (200, 401)), ((old, new), (200, 200)), ((new,), (401, 200))):
        monkeypatch.setenv("DASHBOARD_KEYS", key_set(*pinned))
        found = tuple(
            client_with(one.token(ADA, AUDIENCE)).get("/projects").status_code for one in (old, new)
        )
        assert found == opened
    monkeypatch.setenv("DASHBOARD_KEYS", key_set())
    assert client_with(new.token(ADA, AUDIENCE)).get("/projects").status_code == 401


def test_s23_too_many_requests_are_429(seeded: Seeded, redis_url: str) -> None:
    """Past the limit of a minute a caller is told when to come again; others are not held up."""
    key, minute = give_key(redis_url, "larder"), int(time.time() // 60)
    identifier = f"key_larder_{key.split('_')[2]}"
    for at in (minute, minute + 1):  # the test may pass from one to the next
        command(redis_url, "SET", f"p:larder:rate:{identifier}:{at}", REQUESTS_PER_MINUTE)
    answer = client_with(key).get("/clusters", params={"project": "larder"})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    other = client_with(give_key(redis_url, "larder"))
    assert other.get("/clusters", params={"project": "larder"}).status_code == 200


def test_every_documented_route_is_guarded() -> None:
    """The committed page lists exactly the application's routes, each with its guard."""
    page: dict[str, Any] = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
    documented = {
        (method.upper(), path): operation
        for path, operations in page["paths"].items()
        for method, operation in operations.items()
    }
    assert sorted(documented) == routes()
    scheme = page["components"]["securitySchemes"]["HTTPBearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for operation in documented.values():
        assert operation["security"] == [{"HTTPBearer": []}]
        assert {"401", "403", "429"} <= set(operation["responses"])


def test_nothing_else_is_served(anybody: TestClient) -> None:
    """No page about the API is open, with a credential or without."""
    for path in ("/", "/docs", "/redoc", "/openapi.json", "/health", "/webhooks/larder/x"):
        for client in (anybody, signed_in(ADA)):
            assert client.get(path).status_code == 404


def test_a_setting_that_is_missing_closes_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pinned keys or an audience nobody is let in."""
    for name in ("DASHBOARD_KEYS", "API_AUDIENCE"):
        monkeypatch.delenv(name)
        assert signed_in(ADA).get("/projects").status_code == 500
