from dataclasses import replace

import pytest

from soulcaster.edges.cluster_store import (
    ClusterStore,
    Committed,
    Decided,
    Named,
)
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis, Stale
from soulcaster.rules.project import Project
from tests.edges.clusters import LEASE_MS, claimed, clustered, into, page_of, stored
from tests.edges.servers import command, everything
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
CLUSTER = "cl_larder_one"


@pytest.fixture
def store(redis: Redis) -> ClusterStore:
    return ClusterStore(redis)


def test_a_claim_holds_what_is_pending(redis: Redis) -> None:
    """The items in the order they arrived, whole, and no more than asked for."""
    items = [feedback(external_id=f"i{n}", received_at=NOW + n) for n in range(4)]
    stored(redis, *items)
    claim = claimed(redis, limit=3)
    assert (claim.project, claim.owner) == ("larder", "a")
    assert [(i.id, i.title, i.text, i.text_hash, i.kind, i.cluster) for i in claim.items] == [
        (item.id, item.title, item.text, item.text_hash, "report", "") for item in items[:3]
    ]


def test_nothing_pending_is_nothing_claimed(store: ClusterStore, redis_url: str) -> None:
    """No lease is taken where there is nothing to do."""
    assert store.claim("larder", "a", LEASE_MS, 5, NOW) is None
    assert store.claim("", "a", LEASE_MS, 5, NOW) is None
    assert command(redis_url, "EXISTS", "p:larder:lease") == 0


def test_one_holder_at_a_time(store: ClusterStore, redis: Redis) -> None:
    """While one works nobody else gets a project's items; after a release anybody does."""
    stored(redis, feedback())
    claim = claimed(redis, "a")
    assert store.claim("larder", "b", LEASE_MS, 5, NOW) is None
    assert store.claim("", "b", LEASE_MS, 5, NOW) is None
    store.release(replace(claim, owner="b"))
    assert store.claim("larder", "b", LEASE_MS, 5, NOW) is None
    store.release(claim)
    assert claimed(redis, "b").items == claim.items


def test_a_lease_ends_by_itself(redis: Redis, redis_url: str) -> None:
    """A holder that dies does not hold a project for ever."""
    stored(redis, feedback())
    claimed(redis)
    assert 0 < command(redis_url, "PTTL", "p:larder:lease") <= LEASE_MS


def test_the_same_owner_comes_in_again(store: ClusterStore, redis: Redis) -> None:
    """A delivery whose handler was killed takes up its work, and fences its former self."""
    stored(redis, feedback())
    first = claimed(redis, "a")
    again = claimed(redis, "a")
    assert again.items == first.items
    assert again.fence != first.fence
    with pytest.raises(Stale):
        store.commit(first, into(first, CLUSTER), [], [], NOW, NOW)
    assert store.commit(again, into(again, CLUSTER), [], [], NOW, NOW) == Committed(1, 0, 0, False)


def test_a_stale_fence_commits_nothing(store: ClusterStore, redis: Redis, redis_url: str) -> None:
    """Whose lease was lost, taken over or given back has written nothing at all."""
    stored(redis, feedback())
    claim = claimed(redis, "a")
    store.release(claim)
    for takes_over in (False, True):
        if takes_over:
            claimed(redis, "b")
        before = everything(redis_url)
        names = [Named(CLUSTER, "n", "s", 1, "model")]
        with pytest.raises(Stale, match="lease on larder was lost"):
            store.commit(claim, into(claim, CLUSTER), names, [("x", "v")], NOW, NOW * 2)
        assert everything(redis_url) == before


def test_a_commit_is_all_of_it(store: ClusterStore, redis: Redis, redis_url: str) -> None:
    """Items are in their cluster, the cluster is named and counted, and the lease is free."""
    first, second = feedback(created_at=NOW), feedback(external_id="2", created_at=NOW + 9)
    stored(redis, first, second, feedback(source="sentry", external_id="3", created_at=NOW - 9))
    claim = claimed(redis)
    named = Named(CLUSTER, "Export", "Rows are lost.", 3, "model")
    assert store.commit(claim, into(claim, CLUSTER), [named], [], NOW, NOW) == Committed(
        3, 0, 0, False
    )
    (shown,) = page_of(redis).items
    assert (shown["id"], shown["name"], shown["summary"]) == (CLUSTER, "Export", "Rows are lost.")
    assert (shown["size"], shown["sources"]) == (3, {"github": 2, "sentry": 1})
    assert (shown["first_seen"], shown["last_seen"]) == (NOW - 9, NOW + 9)
    assert (shown["status"], shown["live_job"], shown["named_by"]) == ("open", None, "model")
    stats = ProjectStore(redis).stats("larder")
    assert stats is not None
    assert (stats["clustered"], stats["clusters"], stats["pending"]) == (3, 1, 0)
    assert command(redis_url, "EXISTS", "p:larder:lease") == 0


def test_why_an_item_is_where_it_is(store: ClusterStore, redis: Redis) -> None:
    """What the rule says of its decision is kept with the item."""
    stored(redis, feedback())
    claim = claimed(redis)
    decided = Decided(claim.items[0].id, claim.items[0].text_hash, CLUSTER, '{"score": 0.87}')
    store.commit(claim, [decided], [], [], NOW, NOW)
    found = FeedbackStore(redis).read("larder", decided.id)
    assert found is not None
    assert found["cluster"] == CLUSTER
    assert found["why"] == {"score": 0.87}


def test_an_item_edited_meanwhile_stays_pending(store: ClusterStore, redis: Redis) -> None:
    """It is in its cluster, and comes again for its new text with that cluster's name."""
    stored(redis, feedback())
    claim = claimed(redis)
    edited = feedback(body="New words.", version=NOW + 1)
    stored(redis, edited)
    assert store.commit(claim, into(claim, CLUSTER), [], [], NOW, NOW) == Committed(1, 1, 1, False)
    again = claimed(redis)
    assert [(item.text, item.cluster) for item in again.items] == [(edited.text, CLUSTER)]
    (item,) = again.items
    decided = Decided(item.id, item.text_hash)
    assert store.commit(again, [decided], [], [], NOW, NOW) == Committed(0, 0, 0, False)
    (shown,) = page_of(redis).items
    assert shown["size"] == 1


def test_an_item_keeps_its_cluster(store: ClusterStore, redis: Redis) -> None:
    """A decision for an item that is in a cluster already counts nothing twice."""
    clustered(redis, feedback())
    stored(redis, feedback(body="New words.", version=NOW + 1))
    claim = claimed(redis)
    assert store.commit(claim, into(claim, "cl_larder_other"), [], [], NOW, NOW) == Committed(
        0, 0, 0, False
    )
    assert page_of(redis).total == 1


def test_a_cluster_is_as_old_as_its_oldest_item(redis: Redis) -> None:
    """When an item turns out to be older than was known, its cluster is, too."""
    cluster = clustered(redis, feedback(), feedback(external_id="2", created_at=NOW + 5))
    stored(redis, feedback(version=NOW + 1, created_at=NOW - 50))
    (shown,) = page_of(redis).items
    assert (shown["id"], shown["first_seen"], shown["size"]) == (cluster, NOW - 50, 2)


def test_any_project_is_found_in_turn(store: ClusterStore, redis: Redis) -> None:
    """Asked for any project, those with pending items come, but for those to skip."""
    ProjectStore(redis).put(Project(id="attic", name="Attic"), new=True)
    stored(redis, feedback(), feedback(project="attic"))
    first = store.claim("", "a", LEASE_MS, 5, NOW)
    assert first is not None
    second = store.claim("", "b", LEASE_MS, 5, NOW)
    assert second is not None
    assert {first.project, second.project} == {"larder", "attic"}
    assert store.claim("", "c", LEASE_MS, 5, NOW) is None
    store.release(first)
    assert store.claim("", "c", LEASE_MS, 5, NOW, skip=[first.project]) is None


def test_recent_vectors_are_kept_for_a_while(
    store: ClusterStore, redis: Redis, redis_url: str
) -> None:
    """What the index may not show yet comes with a claim, until it is old."""
    stored(redis, feedback())
    claim = claimed(redis)
    store.commit(claim, [], [], [("fb_larder_x", "v1"), ("fb_larder_y", "v2")], NOW, NOW + 100)
    stored(redis, feedback(external_id="2"))
    recent = claimed(redis, now=NOW + 100)
    assert set(recent.recents) == {("fb_larder_x", "v1"), ("fb_larder_y", "v2")}
    assert claimed(redis, now=NOW + 101).recents == ()
    assert command(redis_url, "HLEN", "p:larder:recent:vectors") == 0


def test_the_recent_are_not_too_many(store: ClusterStore, redis: Redis, redis_url: str) -> None:
    """A claim must fit into an answer: the oldest of more than two thousand are let go."""
    stored(redis, feedback())
    claim = claimed(redis)
    store.commit(claim, [], [], [(f"fb_{n:05}", "v") for n in range(2_500)], NOW, NOW + 100)
    assert command(redis_url, "ZCARD", "p:larder:recent") == 2_000
    assert command(redis_url, "HLEN", "p:larder:recent:vectors") == 2_000
