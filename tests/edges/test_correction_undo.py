import pytest

from soulcaster.edges.cluster_list import ClusterList
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.correction import Conflict, Decision, NotThere
from tests.edges.clusters import clustered
from tests.edges.lettered import DECIDED, Clusters
from tests.edges.servers import command, everything
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def store(redis: Redis) -> CorrectionStore:
    return CorrectionStore(redis)


def test_an_emptied_cluster_comes_back_as_it_was(
    store: CorrectionStore, redis: Redis, redis_url: str
) -> None:
    """Its name and status with it: what somebody ignores stays ignored."""
    c = Clusters(redis, a=1, b=1)
    ClusterList(redis).set_status("larder", c["b"], "ignored", "ada", NOW)
    before = c.read("b")
    for verb in ("merge", "move"):
        if verb == "merge":
            done = store.merge("larder", c["a"], [c["b"]], DECIDED)
        else:
            done = store.move("larder", c["b"], c.item("b0"), c["a"], DECIDED)
        assert (c.read("b")["status"], c.read("b")["merged_into"]) == ("merged", c["a"])
        store.undo(done.correction["id"], DECIDED)
        assert c.read("b") == before
        assert command(redis_url, "ZRANGE", "p:larder:cls:ignored", 0, -1) == [c["b"]]


def test_what_came_later_stays_when_a_correction_is_undone(
    store: CorrectionStore, redis: Redis
) -> None:
    """After a merge, a split and a move, in any order."""
    c = Clusters(redis, a=2, b=3)
    merged = store.merge("larder", c["a"], [c["b"]], DECIDED).correction
    split = store.split("larder", c["a"], [c.item("b0"), c.item("a0")], DECIDED).correction
    store.move("larder", c["a"], c.item("b1"), split["into"], DECIDED)
    store.undo(merged["id"], DECIDED)
    assert {c.where(name) for name in ("a0", "b0", "b1")} == {split["into"]}
    assert (c.where("a1"), c.where("b2")) == (c["a"], c["b"])
    store.undo(split["id"], DECIDED)
    assert (c.where("a0"), c.where("b0"), c.where("b1")) == (c["a"], c["b"], split["into"])


def test_the_newest_live_correction_of_an_item_counts(store: CorrectionStore, redis: Redis) -> None:
    """When it is undone, the one before it."""
    c = Clusters(redis, a=2, b=1, c=1)
    split = store.split("larder", c["a"], [c.item("a0")], DECIDED).correction
    moved = store.move("larder", split["into"], c.item("a0"), c["b"], DECIDED).correction
    merged = store.merge("larder", c["c"], [c["b"]], DECIDED).correction
    store.undo(merged["id"], DECIDED)
    assert c.where("a0") == c["b"]
    store.undo(moved["id"], DECIDED)
    assert c.where("a0") == split["into"]
    store.undo(split["id"], DECIDED)
    assert c.where("a0") == c["a"]


def test_an_undone_merge_leaves_what_its_cluster_has_become(
    store: CorrectionStore, redis: Redis
) -> None:
    """When that was itself merged, what came along leaves again."""
    c = Clusters(redis, a=1, b=1, c=1)
    first = store.merge("larder", c["a"], [c["b"]], DECIDED).correction
    store.merge("larder", c["c"], [c["a"]], DECIDED)
    store.undo(first["id"], DECIDED)
    assert [c.where(name) for name in ("a0", "b0", "c0")] == [c["c"], c["b"], c["c"]]


def test_a_correction_is_undone_once(store: CorrectionStore, redis: Redis, redis_url: str) -> None:
    """Who, when and why are kept; a second time is a conflict and changes nothing."""
    c = Clusters(redis, a=2)
    done = store.split("larder", c["a"], [c.item("a0")], DECIDED).correction
    undone = store.undo(done["id"], Decision("bob", "no", NOW + 5)).correction
    assert undone == {**done, "undone": {"who": "bob", "at": NOW + 5, "why": "no"}}
    before = everything(redis_url)
    with pytest.raises(Conflict, match="undone already"):
        store.undo(done["id"], DECIDED)
    for other in ("cor_larder_2", "cor_larder_01", "cor_other_1"):
        with pytest.raises(NotThere, match="correction"):
            store.undo(other, DECIDED)
    assert everything(redis_url) == before


def test_undoing_takes_no_reports_from_an_agent(store: CorrectionStore, redis: Redis) -> None:
    """When a cluster with a live job would be left without items it is a conflict."""
    c = Clusters(redis, a=2)
    done = store.split("larder", c["a"], [c.item("a0")], DECIDED).correction
    asked = JobStore(redis).ask(done["into"], NOW, "ada")
    with pytest.raises(Conflict, match="live job"):
        store.undo(done["id"], DECIDED)
    JobStore(redis).move(asked.id, 1, "failed", NOW, "x")
    assert store.undo(done["id"], DECIDED).correction["undone"]


def test_a_cluster_that_stays_keeps_its_job(store: CorrectionStore, redis: Redis) -> None:
    """The agent goes on; jobs of all are shown by when they were asked for, until it is undone."""
    c = Clusters(redis, a=1, b=1, c=1)
    jobs = JobStore(redis)

    def asked(letter: str, at: int) -> str:
        return jobs.ask(c[letter], at, "ada").id

    early, between, late = asked("b", NOW), asked("a", NOW + 1), asked("c", NOW + 2)
    for job in (early, late):
        jobs.move(job, 1, "failed", NOW, "x")
    first = store.merge("larder", c["a"], [c["b"]], DECIDED).correction["id"]
    assert (c.read("a")["live_job"], c.read("a")["jobs"][0]["cluster"]) == (between, c["a"])
    jobs.move(between, 1, "failed", NOW, "x")
    second = store.merge("larder", c["c"], [c["a"]], DECIDED).correction["id"]

    def shown(letter: str) -> list[str]:
        return [job["id"] for job in c.read(letter)["jobs"]]

    assert shown("c") == [late, between, early]
    store.undo(first, DECIDED)
    assert (shown("c"), shown("a"), shown("b")) == ([late, between], [between], [early])
    store.undo(second, DECIDED)
    assert (shown("c"), shown("a"), shown("b")) == ([late], [between], [early])


def test_what_people_teach_is_counted(store: CorrectionStore, redis: Redis, redis_url: str) -> None:
    """By kind of text, for as long as the correction stands."""
    c = Clusters(redis, a=2, b=1)
    crash = feedback(source="sentry", external_id="crash")
    lone = clustered(redis, crash)
    split = store.split("larder", c["a"], [c.item("a0")], DECIDED).correction
    store.move("larder", c["b"], c.item("b0"), c["a"], DECIDED)
    merged = store.merge("larder", c["a"], [lone], DECIDED).correction
    taught = command(redis_url, "HGETALL", "p:larder:taught")
    assert dict(zip(taught[::2], taught[1::2], strict=True)) == {
        "report:apart": "2",
        "error:merge": "1",
    }
    store.undo(split["id"], DECIDED)
    store.undo(merged["id"], DECIDED)
    assert command(redis_url, "HGETALL", "p:larder:taught") == ["report:apart", "1"]
