from dataclasses import replace
from typing import Any

import pytest

from soulcaster.edges.cluster_store import ClusterStore, Named, Pending
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis, Stale
from soulcaster.rules.cluster import Assignment, Member
from soulcaster.rules.page import Page, decode_cursor
from soulcaster.rules.project import Project
from tests.edges.clusters import LEASE_MS, claimed, clustered, into, stored
from tests.edges.servers import command, everything
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
CLUSTER = "cl_larder_one"


@pytest.fixture
def store(redis: Redis) -> ClusterStore:
    return ClusterStore(redis)


def page_of(
    store: ClusterStore, sort: str, cursor: str | None = None, limit: int = 10
) -> Page[dict[str, Any]]:
    page = store.page("larder", sort, decode_cursor(cursor), limit)
    assert page is not None
    return page


def test_a_claim_holds_what_is_pending(redis: Redis) -> None:
    """The items in the order they arrived, whole, and no more than asked for."""
    items = [feedback(external_id=f"i{n}", received_at=NOW + n) for n in range(4)]
    stored(redis, *items)
    claim = claimed(redis, limit=3)
    assert (claim.project, claim.owner) == ("larder", "a")
    assert list(claim.items) == [
        Pending(item.id, item.title, item.text, item.text_hash, "github", item.created_at, "")
        for item in items[:3]
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
    assert store.commit(again, into(again, CLUSTER), [], [], NOW, NOW) == (1, 0, 0)


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
    assert store.commit(claim, into(claim, CLUSTER), [named], [], NOW, NOW) == (3, 0, 0)
    (shown,) = page_of(store, "size").items
    assert (shown["id"], shown["name"], shown["summary"]) == (CLUSTER, "Export", "Rows are lost.")
    assert (shown["size"], shown["sources"]) == (3, {"github": 2, "sentry": 1})
    assert (shown["first_seen"], shown["last_seen"]) == (NOW - 9, NOW + 9)
    assert (shown["status"], shown["live_job"], shown["named_by"]) == ("open", None, "model")
    stats = ProjectStore(redis).stats("larder")
    assert stats is not None
    assert (stats["clustered"], stats["clusters"], stats["pending"]) == (3, 1, 0)
    assert command(redis_url, "EXISTS", "p:larder:lease") == 0


def test_why_an_item_is_where_it_is(store: ClusterStore, redis: Redis) -> None:
    """The score, the bar and the neighbours are kept with the item."""
    stored(redis, feedback())
    claim = claimed(redis)
    near = Member("fb_larder_x", CLUSTER, 0.87)
    decided = Assignment(claim.items[0].id, CLUSTER, False, 0.87, 0.62, (near,))
    store.commit(claim, [decided], [], [], NOW, NOW)
    found = FeedbackStore(redis).read("larder", decided.id)
    assert found is not None
    assert found["cluster"] == CLUSTER
    assert found["why"]["score"] == 0.87
    assert found["why"]["nearest"] == [{"id": near.id, "cluster": CLUSTER, "cosine": 0.87}]


def test_an_item_edited_meanwhile_stays_pending(store: ClusterStore, redis: Redis) -> None:
    """It is in its cluster, and comes again for its new text with that cluster's name."""
    stored(redis, feedback())
    claim = claimed(redis)
    edited = feedback(body="New words.", version=NOW + 1)
    stored(redis, edited)
    assert store.commit(claim, into(claim, CLUSTER), [], [], NOW, NOW) == (1, 1, 1)
    again = claimed(redis)
    assert [(item.text, item.cluster) for item in again.items] == [(edited.text, CLUSTER)]
    assert store.commit(again, [], [], [], NOW, NOW) == (0, 0, 0)
    (shown,) = page_of(store, "size").items
    assert shown["size"] == 1


def test_an_item_keeps_its_cluster(store: ClusterStore, redis: Redis) -> None:
    """A decision for an item that is in a cluster already counts nothing twice."""
    clustered(redis, feedback())
    stored(redis, feedback(body="New words.", version=NOW + 1))
    claim = claimed(redis)
    assert store.commit(claim, into(claim, "cl_larder_other"), [], [], NOW, NOW) == (0, 0, 0)
    assert page_of(store, "size").total == 1


def test_a_cluster_is_as_old_as_its_oldest_item(store: ClusterStore, redis: Redis) -> None:
    """When an item turns out to be older than was known, its cluster is, too."""
    cluster = clustered(redis, feedback(), feedback(external_id="2", created_at=NOW + 5))
    stored(redis, feedback(version=NOW + 1, created_at=NOW - 50))
    (shown,) = page_of(store, "size").items
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


def test_neighbours_are_where_redis_says(store: ClusterStore, redis: Redis) -> None:
    """Cluster, title and sizes of those that are in a cluster; the others are not there."""
    one = feedback(title="No last row")
    cluster = clustered(redis, one, name="Export")
    lone = feedback(external_id="2")
    stored(redis, lone)
    context = store.context("larder", [one.id, lone.id, "fb_larder_gone"])
    assert context.members == {one.id: (cluster, "No last row")}
    assert context.clusters == {cluster: (1, 1)}
    assert store.context("larder", []) == type(context)({}, {})


def test_a_cluster_is_read_whole(store: ClusterStore, redis: Redis) -> None:
    """With its newest items first and as many as asked for; None where there is none."""
    items = [feedback(external_id=f"i{n}", created_at=NOW + n) for n in range(4)]
    cluster = clustered(redis, *items, name="Export")
    found = store.read("larder", cluster, 2)
    assert found is not None
    assert [item["id"] for item in found["feedback"]] == [items[3].id, items[2].id]
    assert (found["name"], found["size"], found["jobs"]) == ("Export", 4, [])
    assert store.read("larder", "cl_larder_none", 2) is None
    assert store.read("other", cluster, 2) is None


@pytest.mark.parametrize("sort", ["size", "recent"])
def test_a_cluster_that_grows_is_not_in_the_way(
    store: ClusterStore, redis: Redis, sort: str
) -> None:
    """When the last cluster of a page grows before the next page is read, none is lost."""
    for n in range(6):
        clustered(redis, feedback(external_id=f"i{n}"), name=f"n{n}")
    order = [each["id"] for each in page_of(store, sort).items]
    first = page_of(store, sort, limit=3)
    stored(redis, feedback(external_id="more", created_at=NOW + 5))
    claim = claimed(redis)
    store.commit(claim, into(claim, order[2]), [], [], NOW, NOW)
    rest = page_of(store, sort, first.next_cursor)
    assert [each["id"] for each in rest.items] == order[3:]


def test_sorts(store: ClusterStore, redis: Redis) -> None:
    """The largest or the most recently reported first."""
    large = clustered(redis, feedback(), feedback(external_id="2"))
    recent = clustered(redis, feedback(external_id="3", created_at=NOW + 9))
    for sort, order in (("size", [large, recent]), ("recent", [recent, large])):
        assert [each["id"] for each in page_of(store, sort).items] == order
    assert store.page("other", "size", "", 5) is None
