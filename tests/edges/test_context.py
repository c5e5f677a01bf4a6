"""What a batch is told of its neighbourhood."""

import pytest

from soulcaster.edges.cluster_store import ClusterStore, Context, Decided
from soulcaster.edges.redis import Redis
from tests.edges.clusters import claimed, clustered, stored
from tests.edges.servers import command
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def store(redis: Redis) -> ClusterStore:
    return ClusterStore(redis)


def cluster_of(redis: Redis, name: str, size: int) -> tuple[str, list[str]]:
    """A cluster and its items, the oldest first."""
    items = [
        feedback(external_id=f"{name}{n}", title=f"{name} {n}", created_at=NOW + n)
        for n in range(size)
    ]
    return clustered(redis, *items, name=name), [item.id for item in items]


def test_neighbours_are_where_redis_says(store: ClusterStore, redis: Redis) -> None:
    """Each one's cluster, and that cluster's points and sizes; the others are not there."""
    cluster, (one, *others) = cluster_of(redis, "Export", 3)
    lone = feedback(external_id="lone")
    stored(redis, lone)
    context = store.context("larder", [one, lone.id, "fb_larder_gone"], [], 32, 900)
    assert context.places == {one: cluster}
    assert [point.id for point in context.points] == [one, *others]
    assert {point.cluster for point in context.points} == {cluster}
    assert (context.clusters[cluster].size, context.clusters[cluster].points) == (3, 3)
    assert context.clusters[cluster].named_size == 3
    assert store.context("larder", [], [], 32, 900) == Context({}, (), {})


def test_a_point_is_as_it_was_embedded(store: ClusterStore, redis: Redis) -> None:
    """Kind, marks and names of code, its title, and whether a correction holds it."""
    item = feedback(title="No last row")
    stored(redis, item)
    claim = claimed(redis)
    decided = Decided(
        item.id, item.text_hash, "cl_larder_x", "{}", marks="bWFya3M=", names=("os.path", "HTTP")
    )
    store.commit(claim, [decided], [], [], NOW, NOW)
    (point,) = store.context("larder", [item.id], [], 32, 900).points
    assert (point.kind, point.marks, point.names) == ("report", "bWFya3M=", ("os.path", "HTTP"))
    assert (point.title, point.held, point.riders) == ("No last row", False, 0)


def test_a_large_cluster_is_stood_for_by_members_of_every_age(
    store: ClusterStore, redis: Redis
) -> None:
    """As many as asked for, evenly spaced, the oldest and the newest among them."""
    cluster, items = cluster_of(redis, "Export", 10)
    context = store.context("larder", [items[3]], [], 4, 900)
    assert [point.id for point in context.points] == [items[n] for n in (0, 3, 6, 9)]
    assert context.clusters[cluster].points == 10


def test_the_nearest_clusters_have_room(store: ClusterStore, redis: Redis) -> None:
    """In order of their neighbours, each as a whole; one that does not fit is left out."""
    first, (one, *_) = cluster_of(redis, "a", 4)
    second, (two, *_) = cluster_of(redis, "b", 4)
    third, (three, *_) = cluster_of(redis, "c", 2)
    context = store.context("larder", [two, one, three], [], 4, 6)
    assert {point.cluster for point in context.points} == {second, third}
    assert context.places == {two: second, one: first, three: third}
    assert context.clusters.keys() == {first, second, third}


def test_only_the_sizes_of_others_are_told(store: ClusterStore, redis: Redis) -> None:
    """Where an item only rides along, nothing is compared."""
    cluster, (one, *_) = cluster_of(redis, "a", 3)
    context = store.context("larder", [], [one], 32, 900)
    assert context.points == ()
    assert context.places == {one: cluster}
    assert context.clusters[cluster].size == 3


@pytest.mark.parametrize("status", ["open", "resolved", "ignored"])
@pytest.mark.parametrize("job", [False, True])
def test_what_is_settled_is_not_free(
    store: ClusterStore, redis: Redis, redis_url: str, status: str, job: bool
) -> None:
    """The machine may do away with a cluster only if it is open and nobody works on it."""
    cluster, (one, *_) = cluster_of(redis, "a", 2)
    command(redis_url, "HSET", f"p:larder:cl:{cluster}", "status", status)
    if job:
        command(redis_url, "HSET", f"p:larder:cl:{cluster}", "job", "job_larder_1")
    context = store.context("larder", [one], [], 32, 900)
    assert context.clusters[cluster].free is (status == "open" and not job)


def test_an_attempt_that_was_cut_off_is_known_of(store: ClusterStore, redis: Redis) -> None:
    """From when its vectors may be in the index until somebody has committed the batch."""
    stored(redis, feedback())
    assert not claimed(redis).tried
    assert not claimed(redis).tried
    store.context("larder", [], [], 32, 900)
    again = claimed(redis)
    assert again.tried
    store.release(again)
    again = claimed(redis)
    assert again.tried
    store.commit(again, [], [], [], NOW, NOW)
    assert not claimed(redis).tried
