"""How many pairs a day a referee may be asked about, and what it is given to read."""

import pytest

from soulcaster.edges.cluster_store import ClusterStore, Context
from soulcaster.edges.redis import Redis, Stale
from soulcaster.rules.referee import NO_GRANT, Grant, Quota
from tests.edges.clusters import claimed, clustered, stored
from tests.edges.servers import command
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")

DAY = NOW // 86_400_000
KEY = f"p:larder:referee:{DAY}"


@pytest.fixture
def store(redis: Redis) -> ClusterStore:
    return ClusterStore(redis)


@pytest.fixture
def item(redis: Redis) -> str:
    """An item in a cluster."""
    known = feedback(external_id="known", title="Umlauts", body="ä" * 1_000)
    clustered(redis, known)
    return known.id


def context(store: ClusterStore, item: str, per_day: int, at_once: int = 20) -> Context:
    quota = Quota(DAY, per_day, at_once)
    return store.context("larder", [item], [], 32, 900, quota)


def used(url: str) -> int:
    return int(command(url, "GET", KEY) or 0)


def test_a_day_has_so_many_and_no_more(store: ClusterStore, item: str, redis_url: str) -> None:
    """Each batch gets up to so many at once, the last one what is left; then there are none."""
    granted = [context(store, item, 25, 10).granted for _ in range(4)]
    assert granted == [Grant(DAY, 10), Grant(DAY, 10), Grant(DAY, 5), NO_GRANT]
    assert used(redis_url) == 25
    # Lowered since: what is used stays used.
    assert context(store, item, 3).granted == NO_GRANT
    assert used(redis_url) == 25


def test_another_day_has_its_own(store: ClusterStore, item: str, redis_url: str) -> None:
    """And what was used is forgotten when it can't matter any more."""
    assert context(store, item, 5).granted == Grant(DAY, 5)
    later = store.context("larder", [item], [], 32, 900, Quota(DAY + 1, 5, 20))
    assert later.granted == Grant(DAY + 1, 5)
    assert 86_400 < command(redis_url, "TTL", KEY) <= 2 * 86_400
    keys = {KEY, f"p:larder:referee:{DAY + 1}"}
    assert set(command(redis_url, "KEYS", "*referee*")) == keys


def test_without_a_quota_nothing_is_counted_or_sent(
    store: ClusterStore, item: str, redis_url: str
) -> None:
    """Nor for a batch without a neighbourhood, which can't be in doubt about it."""
    for found in (
        context(store, item, 0),
        store.context("larder", [item], [], 32, 900),
        store.context("larder", [], [], 32, 900, Quota(DAY, 5, 20)),
    ):
        assert (found.granted, found.texts) == (NO_GRANT, {})
    assert command(redis_url, "EXISTS", KEY) == 0


def test_what_is_granted_comes_with_texts(store: ClusterStore, item: str) -> None:
    """The beginning of each point's, in whole characters."""
    texts = context(store, item, 5).texts
    assert texts == {item: "Umlauts\n\n" + "ä" * 295}
    assert len(texts[item].encode()) <= 600


def test_commit_gives_back_what_was_not_asked(
    store: ClusterStore, redis: Redis, item: str, redis_url: str
) -> None:
    """With the decisions; who has lost the lease gives nothing back."""
    stored(redis, feedback(external_id="new"))
    claim = claimed(redis)
    context(store, item, 20)
    command(redis_url, "SET", "p:larder:lease", "somebody")
    with pytest.raises(Stale):
        store.commit(claim, [], [], [], NOW, NOW, unasked=Grant(DAY, 15))
    assert used(redis_url) == 20
    command(redis_url, "SET", "p:larder:lease", "a")
    store.commit(claim, [], [], [], NOW, NOW, unasked=Grant(DAY, 15))
    assert used(redis_url) == 5


def test_release_gives_back_what_was_not_asked(
    store: ClusterStore, redis: Redis, item: str, redis_url: str
) -> None:
    """Once: who has no lease any more gives nothing back."""
    stored(redis, feedback(external_id="new"))
    claim = claimed(redis)
    context(store, item, 20)
    for _ in range(2):
        store.release(claim, Grant(DAY, 12))
        assert used(redis_url) == 8
    store.release(claimed(redis))
    assert used(redis_url) == 8


def test_a_day_that_is_forgotten_is_not_made_anew(
    store: ClusterStore, redis: Redis, item: str, redis_url: str
) -> None:
    """What is given back to it would be less than nothing."""
    stored(redis, feedback(external_id="new"))
    claim = claimed(redis)
    context(store, item, 20)
    command(redis_url, "DEL", KEY)
    store.commit(claim, [], [], [], NOW, NOW, unasked=Grant(DAY, 20))
    assert command(redis_url, "EXISTS", KEY) == 0
