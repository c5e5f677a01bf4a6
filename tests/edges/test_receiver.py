"""What the receiver remembers of sources, and when it asks the store again."""

import json
from collections.abc import Callable

import boto3
import pytest
import receive

from soulcaster.rules.source import Source
from soulcaster.use_cases.receive import Unreachable
from tests.edges.servers import TOKEN, answer, scripted
from tests.edges.test_secrets import Clock
from tests.local.emulated import options
from tests.rules.samples import source

KNOWN = source("github", "s" * 32)
FOUND = answer(json.dumps({"result": KNOWN.to_json()}).encode())
NONE = answer(b'{"result": null}')
DOWN = answer(b"busy", "503 Service Unavailable")
REFUSED = answer(b'{"error": "WRONGPASS"}', "401 Unauthorized")
type Find = Callable[[bool], Source | None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(receive, "time", made)
    return made


@pytest.fixture
def find(secrets_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Find:
    """Look the source up as a new instance does, ``fresh`` or not."""
    manager = boto3.client("secretsmanager", **options(secrets_url))
    try:
        arn = manager.create_secret(Name="receiver", SecretString=TOKEN)["ARN"]
    except manager.exceptions.ResourceExistsException:
        arn = manager.put_secret_value(SecretId="receiver", SecretString=TOKEN)["ARN"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", secrets_url)
    monkeypatch.setenv("UPSTASH_REDIS_REST_TOKEN_ARN", arn)
    receive._finder.cache_clear()
    receive._redis.cache_clear()
    return lambda fresh: receive._finder()("larder", KNOWN.id, fresh)


def test_a_source_is_remembered(find: Find, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for once a minute; a forger makes the store be asked every five seconds."""
    with scripted([FOUND, FOUND, FOUND]) as store:
        monkeypatch.setenv("UPSTASH_REDIS_REST_URL", store.url)
        for at, fresh, asked in (
            (0, False, 1),
            (4, True, 1),
            (6, True, 2),
            (7, False, 2),
            (65, False, 2),
            (67, False, 3),
        ):
            clock.now = at
            assert find(fresh) == KNOWN
            assert len(store.requests) == asked, at


def test_what_is_not_there_is_remembered_too(
    find: Find, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For five seconds: a flood to nobody's address is not a flood of look-ups."""
    with scripted([NONE, FOUND]) as store:
        monkeypatch.setenv("UPSTASH_REDIS_REST_URL", store.url)
        for at, fresh, asked in ((0, False, 1), (0, True, 1), (4, False, 1), (4, True, 1)):
            clock.now = at
            assert find(fresh) is None
            assert len(store.requests) == asked
        clock.now = 5
        assert find(False) == KNOWN


def test_an_old_copy_serves_while_the_store_is_down(
    find: Find, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was known is verified with, however old; about the unknown nothing is said."""
    with scripted([DOWN, FOUND, DOWN, DOWN, FOUND]) as store:
        monkeypatch.setenv("UPSTASH_REDIS_REST_URL", store.url)
        with pytest.raises(Unreachable):
            find(False)
        assert find(False) == KNOWN
        clock.now = 10_000
        assert find(False) == find(True) == KNOWN
        assert find(True) == KNOWN
        assert len(store.requests) == 5


def test_a_replaced_token_is_read_again(
    find: Find, secrets_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a 401 the next look-up is made with the token as it is then."""
    with scripted([REFUSED], [FOUND]) as store:
        monkeypatch.setenv("UPSTASH_REDIS_REST_URL", store.url)
        with pytest.raises(Unreachable):
            find(False)
        manager = boto3.client("secretsmanager", **options(secrets_url))
        manager.put_secret_value(SecretId="receiver", SecretString="replaced")
        assert find(False) == KNOWN
    tokens = [b"Bearer replaced" in request for request in store.requests]
    assert tokens == [False, True]
