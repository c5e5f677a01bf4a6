"""What the receiver remembers of sources and projects, and when it asks Redis again."""

import json
from collections.abc import Callable
from dataclasses import replace

import boto3
import pytest
import receive

from soulcaster.edges import receiver_store
from soulcaster.edges.lean import LeanError, LeanRedis
from soulcaster.edges.receiver_store import REMEMBERED, ReceiverStore
from soulcaster.rules.day import day_of
from soulcaster.rules.project import Project
from soulcaster.rules.quota import Standing
from soulcaster.rules.source import Source
from tests.edges.servers import TOKEN, Scripted, answer, command, scripted
from tests.edges.test_secrets import Clock
from tests.local.emulated import options
from tests.rules.samples import NOW, source

KNOWN = source("github", "s" * 32)
LIMITS = (50_000, 20_000)
DAY = day_of(NOW)
DOWN = answer(b"busy", "503 Service Unavailable")
REFUSED = answer(b'{"error": "WRONGPASS"}', "401 Unauthorized")


def looked(one: Source | None = KNOWN, items: int = 0, pending: int = 0) -> bytes:
    """What Redis answers to a look."""
    result = [one.to_json() if one else "", *LIMITS, items, pending]
    return answer(json.dumps({"result": result}).encode())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(receiver_store, "time", made)
    return made


type Find = Callable[[bool], Source | None]


def asking(server: Scripted) -> tuple[ReceiverStore, Find]:
    """The memory of a new instance, and a look at the source for a request of its own."""
    store, requests = ReceiverStore(lambda: LeanRedis(server.url, TOKEN, 5)), iter(range(1000))
    return store, lambda fresh: store.find("larder", KNOWN.id, NOW + next(requests), fresh=fresh)


def test_a_source_is_remembered(clock: Clock) -> None:
    """It is asked for once a minute; somebody without its secret makes that every five seconds."""
    with scripted([looked()] * 5) as server:
        _, find = asking(server)
        for at, fresh, asked in (
            (0, False, 1),
            (1, True, 2),
            (5, True, 2),
            (6, True, 3),
            (7, False, 3),
            (65, False, 3),
            (66, False, 4),
        ):
            clock.now = at
            assert find(fresh) == KNOWN
            assert len(server.requests) == asked, at


def test_what_was_just_looked_up_is_fresh(clock: Clock) -> None:
    """A request that had the source looked up does not have it looked up again."""
    with scripted([looked()] * 3) as server:
        store, _ = asking(server)
        for fresh in (False, True):
            assert store.find("larder", KNOWN.id, NOW, fresh=fresh) == KNOWN
        assert len(server.requests) == 1
        assert store.find("larder", KNOWN.id, NOW + 1, fresh=True) == KNOWN
        assert len(server.requests) == 2


def test_what_is_not_there_is_remembered_too(clock: Clock) -> None:
    """For five seconds: a flood to nobody's address is not a flood of look-ups."""
    with scripted([looked(None), looked()]) as server:
        _, find = asking(server)
        for at, fresh, asked in ((0, False, 1), (0, True, 1), (4, False, 1), (4, True, 1)):
            clock.now = at
            assert find(fresh) is None
            assert len(server.requests) == asked
        clock.now = 5
        assert find(False) == KNOWN


def test_a_source_that_was_removed_is_gone_within_a_minute(clock: Clock) -> None:
    """What is not there any more is not remembered as if it were."""
    with scripted([looked(), looked(None)]) as server:
        _, find = asking(server)
        assert find(False) == KNOWN
        clock.now = 60
        assert find(False) is None
        assert find(False) is None


def test_an_old_copy_serves_while_the_store_is_down(clock: Clock) -> None:
    """What was known is verified with, however old, and Redis is asked every five seconds; about
    the unknown nothing is said.
    """
    with scripted([DOWN, looked(), DOWN, DOWN, looked()]) as server:
        _, find = asking(server)
        with pytest.raises(LeanError):
            find(False)
        assert find(False) == KNOWN
        for at, asked in ((10_000, 3), (10_004, 3), (10_005, 4), (10_010, 5)):
            clock.now = at
            assert find(False) == find(True) == KNOWN
            assert len(server.requests) == asked


@pytest.mark.parametrize("result", [None, "x", [], ["", 1, 2, 3], [None, 1, 2, 3, 4]])
def test_an_answer_of_another_shape_is_none(clock: Clock, result: object) -> None:
    """It is an error and not "no such source"."""
    with scripted([answer(json.dumps({"result": result}).encode())]) as server:
        _, find = asking(server)
        with pytest.raises(LeanError):
            find(False)


def test_strangers_push_nothing_out(clock: Clock) -> None:
    """However many sources are made up, memory is bounded and what is known stays."""
    with scripted([looked(), *[looked(None)] * (REMEMBERED + 5)]) as server:
        store, find = asking(server)
        find(False)
        for number in range(REMEMBERED + 5):
            assert store.find(f"p{number}", f"src_p{number}_x", NOW, fresh=False) is None
        assert find(False) == KNOWN
        assert store.standing("larder") == Standing(DAY, 0, 0, *LIMITS)
        assert len(server.requests) == REMEMBERED + 6
        assert len(store._missing) == REMEMBERED


def test_the_oldest_is_forgotten(clock: Clock) -> None:
    """There is room for so many sources, and the one looked at longest ago makes it."""
    others = [replace(KNOWN, id=f"src_larder_{number}") for number in range(REMEMBERED)]
    with scripted([looked(one) for one in (KNOWN, *others)]) as server:
        store, find = asking(server)
        find(False)
        for one in others:
            store.find("larder", one.id, NOW, fresh=False)
        assert len(store._known) == REMEMBERED
        assert KNOWN.id not in store._known


def test_what_was_taken_since_counts(clock: Clock) -> None:
    """Between looks the instance counts what it takes; a look starts that anew."""
    with scripted([looked(items=7, pending=3), looked(items=9)]) as server:
        store, find = asking(server)
        assert store.standing("larder") is None
        find(False)
        store.took(KNOWN, 2, NOW)
        assert store.standing("larder") == Standing(DAY, 7, 3, *LIMITS, accepted=2)
        clock.now = 60
        find(False)
        assert store.standing("larder") == Standing(DAY, 9, 0, *LIMITS)


def test_deliveries_are_counted_by_the_minute(clock: Clock) -> None:
    """With the next UTC minute a source begins again, looked at or not."""
    with scripted([looked(), looked()]) as server:
        store, find = asking(server)
        find(False)
        for _ in range(3):
            store.took(KNOWN, 1, NOW)
        find(True)
        assert store.taken(KNOWN, NOW + 59_999) == 3
        assert store.taken(KNOWN, NOW + 60_000) == 0
        store.took(KNOWN, 1, NOW + 60_000)
        assert store.taken(KNOWN, NOW + 60_000) == 1


@pytest.fixture
def stored(redis_url: str) -> ReceiverStore:
    """A project with the source in a real Redis, and the memory of a new instance."""
    command(redis_url, "SET", "p:larder:project", Project(id="larder", name="x").to_json())
    command(redis_url, "HSET", "p:larder:sources", KNOWN.id, KNOWN.to_json())
    return ReceiverStore(lambda: LeanRedis(redis_url, TOKEN, 5))


def refused(url: str) -> tuple[str | None, str | None]:
    """How many deliveries of the day, and of the source, are counted as refused."""
    of_day = command(url, "HGET", f"p:larder:intake:{DAY}", "refused")
    return of_day, command(url, "HGET", f"p:larder:source:{KNOWN.id}", "refused")


def test_what_comes_too_fast_is_counted_by_one_request_a_second(
    stored: ReceiverStore, redis_url: str, clock: Clock
) -> None:
    """Every one in the end: those of the same second with the next, or with the next look."""
    stored.find("larder", KNOWN.id, NOW, fresh=False)
    for at, counted in ((10, "1"), (10.2, "1"), (10.9, "1"), (11, "4"), (11.5, "4")):
        clock.now = at
        stored.refused_rate(KNOWN, NOW)
        assert refused(redis_url) == (counted, counted)
    clock.now = 80
    stored.find("larder", KNOWN.id, NOW + 1, fresh=False)
    assert refused(redis_url) == ("5", "5")
    assert 0 < command(redis_url, "TTL", f"p:larder:intake:{DAY}") <= 40 * 24 * 60 * 60


@pytest.mark.parametrize("quota", ["items", "pending"])
def test_only_what_has_no_room_is_counted(
    stored: ReceiverStore, redis_url: str, clock: Clock, quota: str
) -> None:
    """Each look that finds a quota used up counts one; one that finds room counts none."""
    small = Project(id="larder", name="x", items_per_day=2, pending_items=2)
    command(redis_url, "SET", "p:larder:project", small.to_json())
    if quota == "items":
        command(redis_url, "HSET", f"p:larder:intake:{DAY}", "items", 2)
    else:
        command(redis_url, "ZADD", "p:larder:pending", 1, "a", 2, "b")
    stored.find("larder", KNOWN.id, NOW, fresh=False)
    found = (2, 0) if quota == "items" else (0, 2)
    for counted in ("1", "2"):
        assert stored.refused_quota(KNOWN, NOW) == Standing(DAY, *found, 2, 2)
        assert refused(redis_url) == (counted, counted)
    command(redis_url, "HSET", f"p:larder:intake:{DAY}", "items", 1)
    command(redis_url, "DEL", "p:larder:pending")
    assert stored.refused_quota(KNOWN, NOW) == Standing(DAY, 1, 0, 2, 2)
    assert refused(redis_url) == ("2", "2")


def test_a_project_from_before_has_the_usual_quotas(stored: ReceiverStore, redis_url: str) -> None:
    """What was stored before there were quotas says nothing of them."""
    command(redis_url, "SET", "p:larder:project", '{"id": "larder", "name": "x"}')
    stored.find("larder", KNOWN.id, NOW, fresh=False)
    assert stored.standing("larder") == Standing(DAY, 0, 0, *LIMITS)


def test_a_note_is_made_once_a_minute(stored: ReceiverStore, redis_url: str, clock: Clock) -> None:
    """For each kind of note; that a delivery came never goes back in time."""
    key = f"p:larder:source:{KNOWN.id}"
    stored.note(KNOWN, "signature", "wrong", NOW)
    stored.note(KNOWN, "delivery", "", NOW)
    clock.now = 59
    stored.note(KNOWN, "signature", "late", NOW + 1)
    stored.note(KNOWN, "payload", "x" * 1000, NOW + 2)
    values = command(redis_url, "HMGET", key, "last_error", "last_error_at", "last_delivery")
    assert values == ["x" * 300, str(NOW + 2), str(NOW)]
    clock.now = 60
    stored.note(KNOWN, "signature", "again", NOW + 3)
    stored.note(KNOWN, "delivery", "", NOW - 1)
    values = command(redis_url, "HMGET", key, "last_error", "last_error_at", "last_delivery")
    assert values == ["again", str(NOW + 3), str(NOW)]


def test_nothing_is_noted_of_what_is_gone(stored: ReceiverStore, redis_url: str) -> None:
    """A source that was removed is not half made again by what is still remembered of it."""
    stored.find("larder", KNOWN.id, NOW, fresh=False)
    command(redis_url, "DEL", "p:larder:sources")
    stored.note(KNOWN, "signature", "wrong", NOW)
    stored.note(KNOWN, "delivery", "", NOW)
    stored.refused_rate(KNOWN, NOW)
    assert command(redis_url, "KEYS", "p:larder:*") == ["p:larder:project"]


def test_an_outage_is_waited_for_once(clock: Clock) -> None:
    """After an error nothing that can be done without Redis asks it again for five seconds."""
    with scripted([looked(), DOWN, looked()]) as server:
        store, find = asking(server)
        find(False)
        store.note(KNOWN, "signature", "wrong", NOW)
        assert store.refused_quota(KNOWN, NOW) is None
        store.note(KNOWN, "payload", "wrong", NOW)
        store.refused_rate(KNOWN, NOW)
        assert find(True) == KNOWN
        assert len(server.requests) == 2
        clock.now = 5
        assert store.refused_quota(KNOWN, NOW) is not None


def test_a_replaced_token_is_read_again(
    secrets_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a 401 the next look-up is made with the token as it is then."""
    manager = boto3.client("secretsmanager", **options(secrets_url))
    arn = manager.create_secret(Name="receiver", SecretString=TOKEN)["ARN"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", secrets_url)
    monkeypatch.setenv("UPSTASH_REDIS_REST_TOKEN_ARN", arn)
    with scripted([REFUSED], [looked()]) as server:
        monkeypatch.setenv("UPSTASH_REDIS_REST_URL", server.url)
        store = ReceiverStore(receive._connect)
        with pytest.raises(LeanError):
            store.find("larder", KNOWN.id, NOW, fresh=False)
        manager.put_secret_value(SecretId=arn, SecretString="replaced")
        assert store.find("larder", KNOWN.id, NOW, fresh=False) == KNOWN
    tokens = [b"Bearer replaced" in request for request in server.requests]
    assert tokens == [False, True]
