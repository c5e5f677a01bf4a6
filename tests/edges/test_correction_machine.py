import pytest

from soulcaster.edges.cluster_store import ClusterStore, Committed
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.look_store import LookStore, Moved
from soulcaster.edges.redis import Redis
from tests.edges.clusters import LEASE_MS, claimed, into, stored
from tests.edges.lettered import DECIDED, Clusters
from tests.edges.lua import call
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
RIDE = "ride('p:larder:', cjson.decode(ARGV[1]), cjson.decode(ARGV[2]))"


@pytest.fixture
def store(redis: Redis) -> CorrectionStore:
    return CorrectionStore(redis)


def test_the_machine_moves_what_nobody_settled(store: CorrectionStore, redis: Redis) -> None:
    """An item where the machine saw it goes, with those that ride on it; one that a correction
    holds stays, until that is undone.
    """
    c = Clusters(redis, a=3, b=1, c=2)
    done = store.split("larder", c["a"], [c.item("a0")], DECIDED).correction
    free, held = c.item("c0"), c.item("a1")
    c.machine(Moved(free, c["c"], c["b"], "{}", "{}"), Moved(held, c["a"], c["b"], "{}", "{}"))
    assert (c.where("c0"), c.where("a1")) == (c["b"], c["a"])
    c.machine(Moved(c.item("c1"), c["b"], c["a"], "{}", "{}"))  # it was not there
    assert c.where("c1") == c["c"]
    store.undo(done["id"], DECIDED)
    c.machine(Moved(held, c["a"], c["b"], '{"score": 1}', "{}"))
    assert c.where("a1") == c["b"]


def test_riders_move_along(store: CorrectionStore, redis: Redis, redis_url: str) -> None:
    """Those in the same cluster that no correction holds."""
    c = Clusters(redis, a=2, b=2, c=1)
    for rider in ("a1", "b0"):
        call(redis_url, "riders", RIDE, c.item(rider), c.item("a0"))
    c.machine(Moved(c.item("a0"), c["a"], c["c"], "{}", "{}"))
    assert [c.where(name) for name in ("a0", "a1", "b0")] == [c["c"], c["c"], c["b"]]
    store.move("larder", c["c"], c.item("a1"), c["b"], DECIDED)
    c.machine(Moved(c.item("a0"), c["c"], c["b"], "{}", "{}"))
    assert c.where("a0") == c["c"]


def test_the_machine_takes_no_reports_from_an_agent(redis: Redis) -> None:
    """The last item of a cluster with a live job stays; moving it to where it is does nothing."""
    c = Clusters(redis, a=1, b=1)
    assert JobStore(redis).ask(c["a"], NOW, "ada").outcome == "created"
    before = c.read("a")
    c.machine(Moved(c.item("a0"), c["a"], c["b"], "{}", "{}"))
    c.machine(Moved(c.item("a0"), c["a"], c["a"], "{}", "{}"))
    assert {**c.read("a"), "feedback": []} == {**before, "feedback": []}
    assert c.where("a0") == c["a"]


def test_a_correction_between_claim_and_commit_counts(store: CorrectionStore, redis: Redis) -> None:
    """What the machine decided on what it saw goes to what has become of that, and leaves alone
    what was settled meanwhile. It goes back with the cluster that the machine meant.
    """
    c = Clusters(redis, a=1, b=2, c=3)
    stored(redis, feedback(external_id="new"))
    claim = claimed(redis)
    moves = [
        Moved(c.item("c0"), c["c"], c["b"], "{}", "{}"),
        Moved(c.item("b0"), c["b"], c["c"], "{}", "{}"),
    ]
    merged = store.merge("larder", c["a"], [c["b"]], DECIDED).correction
    done = ClusterStore(redis).commit(claim, into(claim, c["b"]), [], [], NOW, NOW)
    assert done == Committed(1, 0, 0, look=False)
    look = LookStore(redis).claim("larder", "a", LEASE_MS, NOW, asked=True)
    assert look is not None
    assert LookStore(redis).commit(look, moves, [], [], "", NOW) == 1
    assert [c.where(name) for name in ("new", "c0", "b0", "b1")] == [c["a"]] * 4
    assert (c.read("a")["size"], c.read("b")["status"]) == (5, "merged")
    store.undo(merged["id"], DECIDED)
    assert [c.where(name) for name in ("new", "c0", "b0", "b1")] == [c["b"]] * 4
    assert c.where("a0") == c["a"]
