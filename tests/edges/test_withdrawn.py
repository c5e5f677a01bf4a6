from typing import Any

import pytest

from soulcaster.edges.cluster_list import ClusterList
from soulcaster.edges.cluster_store import ClusterStore, Committed, Named
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.correction import Decision
from tests.edges.clusters import claimed, clustered, content, into, joined, page_of, read, stored
from tests.edges.readings import HOUR, ITEM, comment, keys, settled, told, withdrawn
from tests.edges.servers import command
from tests.edges.test_riders import decided, held
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
OTHER = feedback(external_id="2", title="Dark mode", author="grace", severity="error")
DECIDED = Decision("ada", "so", NOW)


def left(url: str) -> dict[str, Any]:
    """All that Redis holds but for what says that something was withdrawn, or what was done."""
    passing = ("withdrawn", "gone", "pending", "fence", "look", "intake:2025-01-01")
    return {key: is_ for key, is_ in content(url).items() if not key.endswith(passing)}


def stats(redis: Redis) -> dict[str, Any]:
    found = ProjectStore(redis).stats("larder")
    assert found is not None
    return found


@pytest.mark.parametrize("cluster", [False, True])
def test_nothing_of_it_is_kept(redis: Redis, redis_url: str, cluster: bool) -> None:
    """But its id: among those that never come back, and those whose vectors have to go."""
    told(redis, ITEM, feedback(occurrence_id="e1"), comment(), settled())
    if cluster:
        clustered(redis, ITEM)
    told(redis, withdrawn())
    assert keys(redis_url, ITEM.id) == ["gone", "withdrawn"]
    assert "Export" not in str(content(redis_url))
    assert "happens" not in str(content(redis_url))
    assert command(redis_url, "KEYS", "p:larder:w:*") == []
    empty = {"stored": 0, "pending": 0, "clustered": 0, "clusters": 0}
    assert {name: stats(redis)[name] for name in empty} == empty
    assert stats(redis)["by_source"] == {}


def test_what_is_told_of_it_later_does_nothing(redis: Redis, redis_url: str) -> None:
    """However often, and also when the item never came before."""
    told(redis, withdrawn())
    before = content(redis_url)
    assert told(redis, withdrawn(), ITEM, comment(), settled(), ITEM) == 0
    assert content(redis_url) == before
    assert FeedbackStore(redis).read("larder", ITEM.id) is None
    told(redis, withdrawn(OTHER.id))
    assert command(redis_url, "EXISTS", "p:larder:gone") == 0, "it has no vector"


def test_what_is_left_is_as_if_it_had_never_been(redis: Redis, redis_url: str) -> None:
    """Of the cluster and the project, to the last field."""
    cluster = clustered(redis, OTHER, name="Dark")
    ends = []
    for change in (lambda: None, lambda: told(redis, comment(), withdrawn())):
        change()
        ClusterList(redis).rank_due(NOW + 48 * HOUR, NOW + 48 * HOUR, 5)
        ends.append(left(redis_url))
        joined(redis, cluster, ITEM)
    assert ends[0] == ends[1]


def test_a_cluster_without_items_is_in_no_list(redis: Redis, redis_url: str) -> None:
    """It keeps its status, has nothing in it and no name, and is back when something comes."""
    cluster = clustered(redis, ITEM, name="Export")
    ClusterList(redis).set_status("larder", cluster, "ignored", "ada", NOW)
    told(redis, withdrawn())
    shown = read(redis, cluster)
    assert (shown["status"], shown["size"], shown["reporters"], shown["reports"]) == (
        *("ignored", 0, 0),
        0,
    )
    assert (shown["name"], shown["feedback"], shown["merged_into"]) == ("(unnamed)", [], None)
    assert page_of(redis, status="all").total == stats(redis)["clusters"] == 0
    assert command(redis_url, "KEYS", "p:larder:wc:*") == []
    joined(redis, cluster, OTHER)
    assert (read(redis, cluster)["status"], read(redis, cluster)["size"]) == ("ignored", 1)
    assert page_of(redis, status="ignored").total == stats(redis)["clusters"] == 1


def test_a_cluster_is_not_called_by_what_is_gone(redis: Redis) -> None:
    """One that had the title of an item that was withdrawn has the title of its oldest."""
    clusters = ClusterStore(redis)
    cluster = clustered(redis, ITEM)
    joined(redis, cluster, OTHER)
    stored(redis, feedback(external_id="3", title="Third"))
    claim = claimed(redis)
    names = [Named(cluster, ITEM.title, "", 2, "title")]
    clusters.commit(claim, into(claim, cluster), names, [], NOW, NOW)
    told(redis, withdrawn(OTHER.id))
    assert read(redis, cluster)["name"] == ITEM.title
    told(redis, withdrawn())
    assert read(redis, cluster)["name"] == "Third"


def test_who_rode_on_it_is_stood_for(redis: Redis, redis_url: str) -> None:
    """The first of them is embedded, and the others ride on that one."""
    for number in "123":
        stored(redis, feedback(external_id=number))
        claim = claimed(redis)
        rows = decided(claim, "cl_larder_x")
        ClusterStore(redis).commit(claim, rows, [], [], NOW, NOW)
    heir, other = sorted(feedback(external_id=number).id for number in "23")
    told(redis, withdrawn(feedback(external_id="1").id))
    assert held(redis_url) == {
        "rides": {other: heir},
        "points": {heir},
        "stand": {heir},
        "pending": {heir},
    }
    told(redis, withdrawn(other))
    assert held(redis_url)["rides"] == {}


def test_what_is_withdrawn_meanwhile_is_not_clustered(redis: Redis, redis_url: str) -> None:
    """Nor what rides on it; its vector, which may be in the index by then, is to go."""
    copy = feedback(external_id="9")
    stored(redis, ITEM, OTHER, copy)
    claim = claimed(redis)
    first, second = sorted([ITEM.id, copy.id])
    told(redis, withdrawn(first))
    vectors = [(item.id, "v") for item in claim.items]
    names = [Named("cl_larder_y", "Export", "", 1, "title")]
    rows = [d for d in decided(claim, "cl_larder_x") if d.id != OTHER.id]
    rows += [d for d in decided(claim, "cl_larder_y") if d.id == OTHER.id]
    done = ClusterStore(redis).commit(claim, rows, names, vectors, NOW, NOW + 9)
    assert done == Committed(1, 1, 1, look=False)
    assert keys(redis_url, first) == ["gone", "withdrawn"]
    assert held(redis_url)["pending"] == {second}
    assert command(redis_url, "EXISTS", "p:larder:cl:cl_larder_x") == 0


def test_vectors_are_to_go_until_they_are_gone(redis: Redis, redis_url: str) -> None:
    """A project without anything pending is looked at for that, and no more when it is done."""
    clustered(redis, ITEM)
    told(redis, withdrawn())
    clusters = ClusterStore(redis)
    for owner in ("a", "b"):
        claim = clusters.claim("", owner, 60_000, 5, NOW)
        assert claim is not None
        assert (claim.items, claim.gone) == ((), (ITEM.id,))
        clusters.release(claim)
    claim = clusters.claim("", "a", 60_000, 5, NOW)
    assert claim is not None
    clustered_later = withdrawn(OTHER.id)
    stored(redis, OTHER)
    told(redis, clustered_later)
    done = clusters.commit(claim, [], [], [], NOW, NOW, forgotten=claim.gone)
    assert done == Committed(0, 0, 1, look=False)
    assert command(redis_url, "SMEMBERS", "p:larder:gone") == [OTHER.id]
    claim = clusters.claim("larder", "a", 60_000, 5, NOW)
    assert claim is not None
    assert clusters.commit(claim, [], [], [], NOW, NOW, forgotten=claim.gone).projects == 0
    assert clusters.claim("", "a", 60_000, 5, NOW) is None
    assert command(redis_url, "EXISTS", "p:larder:gone", "sys:pending") == 0


def test_an_agent_goes_on(redis: Redis) -> None:
    """When what it works on is withdrawn, its job is left alone."""
    cluster = clustered(redis, ITEM)
    jobs = JobStore(redis)
    job = jobs.ask(cluster, NOW, "ada").id
    told(redis, withdrawn())
    found = jobs.read(job)
    assert found is not None
    assert (found["state"], found["reports_now"]) == ("queued", 0)
    brief = jobs.brief(job, 5)
    assert brief is not None
    assert brief.feedback == ()
    assert read(redis, cluster)["live_job"] == job
    assert jobs.move(job, 1, "failed", NOW, "x").outcome == "moved"


@pytest.mark.parametrize("verb", ["merge", "split", "move"])
@pytest.mark.parametrize("gone", [[0], [1], [0, 1], [0, 1, 2]])
def test_a_correction_of_what_is_gone_can_be_undone(
    redis: Redis, verb: str, gone: list[int]
) -> None:
    """What is left goes back, and nothing comes to life again."""
    items = [feedback(external_id=f"i{n}", title=f"Item {n}") for n in range(3)]
    one, other = clustered(redis, *items[:2]), clustered(redis, items[2])
    people = CorrectionStore(redis)
    made = {
        "merge": lambda: people.merge("larder", other, [one], DECIDED),
        "split": lambda: people.split("larder", one, [items[0].id], DECIDED),
        "move": lambda: people.move("larder", one, items[0].id, other, DECIDED),
    }[verb]()
    told(redis, *(withdrawn(items[n].id) for n in gone))
    assert people.undo(made.correction["id"], DECIDED).correction["undone"]
    left = {one: 2 - len({0, 1} & {*gone}), other: 1 - len({2} & {*gone})}
    assert {cluster: read(redis, cluster)["size"] for cluster in left} == left
    assert stats(redis)["clusters"] == len([size for size in left.values() if size])


def test_a_person_removes_an_item(redis: Redis, redis_url: str) -> None:
    """For good, as if its source had; once."""
    clustered(redis, ITEM)
    feedback_store = FeedbackStore(redis)
    assert feedback_store.delete("larder", ITEM.id, NOW + HOUR)
    assert keys(redis_url, ITEM.id) == ["gone", "withdrawn"]
    assert page_of(redis, status="all").total == 0
    assert not feedback_store.delete("larder", ITEM.id, NOW + HOUR)
    assert not feedback_store.delete("larder", OTHER.id, NOW + HOUR)
    assert told(redis, ITEM, OTHER) == 1
