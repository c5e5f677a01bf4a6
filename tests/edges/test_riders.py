"""Items of one fingerprint: one is embedded, the others ride on it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.cluster_store import Claim, ClusterStore, Committed, Decided
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.correction import Decision
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.project import Project
from soulcaster.use_cases.batch import riding
from tests.edges.adds_up import snapshot
from tests.edges.clusters import claimed, clustered, read, stored
from tests.edges.servers import command
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
ONE = feedback(external_id="1")
TWO = feedback(external_id="2", title="EXPORT loses the last row!")
THREE = feedback(external_id="3")
RIDERS = sorted([TWO.id, THREE.id])


def decided(claim: Claim, cluster: str) -> list[Decided]:
    """What needs an embedding goes into ``cluster``, and the rest rides."""
    rides = riding(claim.items)
    rows = [
        Decided(item.id, item.text_hash, "" if item.cluster else cluster, "{}", marks="m")
        for item in claim.items
        if item.id not in rides
    ]
    return rows + [
        Decided(item.id, item.text_hash, cluster, "{}", rides[item.id])
        for item in claim.items
        if item.id in rides
    ]


def work(redis: Redis, *items: Feedback, cluster: str = "cl_larder_x") -> Committed:
    """Cluster ``items`` and whatever else is pending."""
    stored(redis, *items)
    claim = claimed(redis)
    return ClusterStore(redis).commit(claim, decided(claim, cluster), [], [], NOW, NOW)


def held(url: str) -> dict[str, Any]:
    """Who rides on what, who is a point of a cluster, and who waits."""
    found = snapshot(url)
    return {
        "rides": {
            key.removeprefix("fb:"): value["rides"]
            for key, value in found.items()
            if key.startswith("fb:") and key.count(":") == 1 and "rides" in value
        },
        "points": {
            item
            for key, value in found.items()
            if key.startswith("cl:") and key.endswith(":points")
            for item in value
        },
        "stand": set(found.get("fps", {}).values()),
        "pending": set(found.get("pending", {})),
    }


def test_what_says_the_same_rides_on_what_came_first(redis: Redis, redis_url: str) -> None:
    """The claim says on what; the cluster counts all of them, and has one point."""
    work(redis, ONE)
    stored(redis, TWO, THREE)
    claim = claimed(redis)
    assert {(item.rides, item.theirs) for item in claim.items} == {(ONE.id, "cl_larder_x")}
    done = ClusterStore(redis).commit(claim, decided(claim, "cl_larder_x"), [], [], NOW, NOW)
    assert done.clustered == 2
    assert held(redis_url) == {
        "rides": dict.fromkeys(RIDERS, ONE.id),
        "points": {ONE.id},
        "stand": {ONE.id},
        "pending": set(),
    }
    assert read(redis, "cl_larder_x")["size"] == 3
    (point,) = ClusterStore(redis).context("larder", [TWO.id], [], 32, 900).points
    assert (point.id, point.riders) == (ONE.id, 2)


def test_of_a_batch_the_first_by_id_stands_for_the_others(redis: Redis, redis_url: str) -> None:
    """Whatever order they came in."""
    work(redis, THREE, TWO, ONE)
    first, *others = sorted([ONE.id, TWO.id, THREE.id])
    assert held(redis_url)["rides"] == dict.fromkeys(others, first)


def test_who_says_something_else_now_stands_for_nobody(redis: Redis, redis_url: str) -> None:
    """The first of its riders takes over, and is embedded; what says the same rides on that one."""
    work(redis, ONE)
    work(redis, TWO, THREE)
    stored(redis, feedback(external_id="1", title="Dark mode", version=NOW + 1))
    heir, other = RIDERS
    assert held(redis_url) == {
        "rides": {other: heir},
        "points": {ONE.id, heir},
        "stand": {heir},
        "pending": {ONE.id, heir},
    }
    assert command(redis_url, "SMEMBERS", "sys:pending") == ["larder"]
    four = feedback(external_id="4")
    stored(redis, four)
    claim = claimed(redis)
    assert {item.id: item.rides for item in claim.items} == {ONE.id: "", heir: "", four.id: heir}
    ClusterStore(redis).commit(claim, decided(claim, "cl_larder_y"), [], [], NOW, NOW)
    after = held(redis_url)
    assert (after["stand"], after["pending"]) == ({ONE.id, heir}, set())
    assert after["rides"] == {other: heir, four.id: heir}
    assert read(redis, "cl_larder_x")["size"] == 4, "nobody leaves before the next look"


def test_a_rider_that_says_something_else_is_on_its_own(redis: Redis, redis_url: str) -> None:
    """It is embedded, stays in its cluster, and the others ride on."""
    work(redis, ONE)
    work(redis, TWO, THREE)
    stored(redis, feedback(external_id="3", title="Dark mode", version=NOW + 1))
    assert held(redis_url) == {
        "rides": {TWO.id: ONE.id},
        "points": {ONE.id, THREE.id},
        "stand": {ONE.id},
        "pending": {THREE.id},
    }
    work(redis, cluster="cl_larder_y")
    assert held(redis_url)["stand"] == {ONE.id, THREE.id}
    assert read(redis, "cl_larder_x")["size"] == 3


def test_a_rider_whose_words_stay_the_same_is_not_embedded(redis: Redis, redis_url: str) -> None:
    """Punctuation and case are nothing that a vector is needed for."""
    work(redis, ONE)
    work(redis, TWO)
    stored(redis, feedback(external_id="2", title="Export loses the last row?", version=NOW + 1))
    assert held(redis_url)["pending"] == set()
    assert held(redis_url)["rides"] == {TWO.id: ONE.id}


@pytest.mark.parametrize("edited", ["1", "2"])
def test_who_is_edited_meanwhile_does_not_ride(redis: Redis, redis_url: str, edited: str) -> None:
    """When either of the two says something else by now, the new one stays pending."""
    work(redis, ONE)
    stored(redis, TWO)
    claim = claimed(redis)
    stored(redis, feedback(external_id=edited, title="Dark mode", version=NOW + 1))
    done = ClusterStore(redis).commit(claim, decided(claim, "cl_larder_x"), [], [], NOW, NOW)
    assert done.clustered == 0
    after = held(redis_url)
    assert TWO.id in after["pending"]
    assert (after["rides"], after["points"]) == ({}, {ONE.id})


def test_a_rider_goes_along_with_corrections(redis: Redis, redis_url: str) -> None:
    """It goes where what it rides on is by now, and back with it when that was wrong."""
    people = CorrectionStore(redis)
    work(redis, ONE)
    other = clustered(redis, feedback(external_id="9", title="Dark mode"))
    stored(redis, TWO)
    claim = claimed(redis)
    made = people.merge("larder", other, ["cl_larder_x"], Decision("ada", "", NOW))
    ClusterStore(redis).commit(claim, decided(claim, "cl_larder_x"), [], [], NOW, NOW)
    assert read(redis, other)["size"] == 3
    people.undo(made.correction["id"], Decision("ada", "", NOW))
    assert read(redis, "cl_larder_x")["size"] == 2
    moved = people.move("larder", "cl_larder_x", ONE.id, other, Decision("ada", "", NOW))
    work(redis, THREE)
    assert FeedbackStore(redis).read("larder", THREE.id)["cluster"] == other  # type: ignore[index]
    assert held(redis_url)["rides"] == {TWO.id: ONE.id, THREE.id: ONE.id}
    people.undo(moved.correction["id"], Decision("ada", "", NOW))
    assert read(redis, "cl_larder_x")["size"] == 2


SAID = ("Export loses the last row", "export loses the last row.", "Dark mode", "42")
STEPS = st.lists(
    st.one_of(st.tuples(st.integers(1, 5), st.sampled_from(SAID)), st.just(None)), max_size=25
)


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(STEPS, st.booleans())
def test_whatever_is_said_and_when_every_item_is_stood_for(
    redis: Redis, redis_url: str, steps: list[tuple[int, str] | None], late: bool
) -> None:
    """Riders have the fingerprint of what they ride on; each has one that stands for it; all others
    have been embedded for what they say now, or wait for that. ``late``: things are said between
    a batch's claim and its commit.
    """
    command(redis_url, "FLUSHALL")
    ProjectStore(redis).put(Project(id="larder", name="Larder"), new=True)
    claim, store = None, ClusterStore(redis)
    for version, step in enumerate([*steps, *[None] * 6]):
        if step:
            number, title = step
            stored(redis, feedback(external_id=str(number), title=title, body="", version=version))
        elif claim is None and late:
            claim = store.claim("larder", "a", 60_000, 500, NOW)
        else:
            claim = claim or store.claim("larder", "a", 60_000, 500, NOW)
            if claim:
                rows = [
                    Decided(d.id, d.text_hash, d.cluster, d.why, d.rides, d.text_hash)
                    for d in decided(claim, f"cl_larder_{version}")
                ]
                store.commit(claim, rows, [], [], NOW, NOW)
            claim = None
        consistent(snapshot(redis_url))
    assert held(redis_url)["pending"] == set()


def consistent(found: dict[str, Any]) -> None:
    """What must hold at any time."""
    items = {
        key.removeprefix("fb:"): value
        for key, value in found.items()
        if key.startswith("fb:") and key.count(":") == 1
    }
    for fp, item in found.get("fps", {}).items():
        assert (items[item]["fp"], items[item].get("rides")) == (fp, None)
    for identifier, item in items.items():
        riders = found.get(f"fb:{identifier}:riders", set())
        assert {items[rider]["rides"] for rider in riders} <= {identifier}
        if "cluster" not in item:
            assert "rides" not in item
            assert identifier in found["pending"]
            continue
        points = found.get(f"cl:{item['cluster']}:points", {})
        assert (identifier in points) is ("rides" not in item)
        if "rides" in item:
            on = items[item["rides"]]
            assert (on["fp"], on.get("rides")) == (item["fp"], None)
            assert identifier in found[f"fb:{item['rides']}:riders"]
        else:
            assert item.get("marks") == item["text_hash"] or identifier in found["pending"]
