import pytest

from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules import ids
from soulcaster.rules.correction import Conflict, Decision, NotThere
from soulcaster.rules.project import Project
from tests.edges.clusters import stored
from tests.edges.lettered import DECIDED, Clusters
from tests.edges.servers import everything
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def store(redis: Redis) -> CorrectionStore:
    return CorrectionStore(redis)


def test_a_merge_leaves_one_cluster(store: CorrectionStore, redis: Redis) -> None:
    """All items are in the one that stays; the other can be read, is empty and says where they
    went; it is in no list and not counted.
    """
    c = Clusters(redis, a=2, b=1)
    done = store.merge("larder", c["a"], [c["b"]], DECIDED)
    assert done.made
    assert done.correction == {
        "id": "cor_larder_1",
        "verb": "merge",
        "into": c["a"],
        "out_of": [c["b"]],
        "items": [],
        "who": "ada",
        "why": "the same bug",
        "at": NOW,
        "undone": None,
    }
    assert [c.where(name) for name in ("a0", "a1", "b0")] == [c["a"]] * 3
    assert (c.read("a")["size"], c.read("a")["status"]) == (3, "open")
    gone = c.read("b")
    assert (gone["size"], gone["feedback"], gone["name"]) == (0, [], "Cluster b")
    assert (gone["status"], gone["merged_into"]) == ("merged", c["a"])
    stats = ProjectStore(redis).stats("larder")
    assert stats is not None
    assert (stats["clusters"], stats["clustered"]) == (1, 3)


def test_a_merge_names_what_clusters_have_become(store: CorrectionStore, redis: Redis) -> None:
    """A cluster that was merged stands for the one that it went into, on both sides."""
    c = Clusters(redis, a=1, b=1, c=1, d=1)
    store.merge("larder", c["a"], [c["b"]], DECIDED)
    store.merge("larder", c["c"], [c["d"]], DECIDED)
    done = store.merge("larder", c["b"], [c["d"]], DECIDED).correction
    assert (done["into"], done["out_of"]) == (c["a"], [c["c"]])
    assert {c.where(name) for name in ("a0", "b0", "c0", "d0")} == {c["a"]}


def test_merging_again_finds_the_merge(
    store: CorrectionStore, redis: Redis, redis_url: str
) -> None:
    """Also when only some of it was done before; then the rest is."""
    c = Clusters(redis, a=1, b=1, c=1)
    first = store.merge("larder", c["a"], [c["b"]], DECIDED)
    before = everything(redis_url)
    again = store.merge("larder", c["a"], [c["b"], c["b"]], Decision("bob", "", NOW + 1))
    assert (again.correction, again.made) == (first.correction, False)
    assert everything(redis_url) == before
    more = store.merge("larder", c["a"], [c["b"], c["c"]], DECIDED)
    assert (more.correction["out_of"], more.made) == ([c["c"]], True)
    both = store.merge("larder", c["a"], [c["b"], c["c"]], DECIDED)
    assert (both.correction["id"], both.made) == (more.correction["id"], False)
    store.undo(more.correction["id"], DECIDED)
    anew = store.merge("larder", c["a"], [c["c"]], DECIDED)
    assert (anew.correction["id"], anew.made) == ("cor_larder_3", True)


def test_what_can_not_be_merged(store: CorrectionStore, redis: Redis, redis_url: str) -> None:
    """What is not there, itself, one that an agent works on and an empty one; nothing is done."""
    c = Clusters(redis, a=1, b=1, c=2, d=1)
    store.move("larder", c["b"], c.item("b0"), c["c"], DECIDED)
    assert JobStore(redis).ask(c["d"], NOW, "ada").outcome == "created"
    before = everything(redis_url)
    with pytest.raises(NotThere, match="cluster"):
        store.merge("larder", c["a"], [c["c"], "cl_larder_none"], DECIDED)
    with pytest.raises(NotThere, match="cluster"):
        store.merge("larder", "cl_larder_none", [c["a"]], DECIDED)
    for into_, other, why in (
        (c["a"], c["a"], "itself"),
        (c["a"], c["d"], "live job"),
        (c["a"], c["b"], "no items"),
        (c["b"], c["a"], "no items"),
    ):
        with pytest.raises(Conflict, match=why):
            store.merge("larder", into_, [c["c"], other], DECIDED)
    assert everything(redis_url) == before


def test_a_split_makes_a_cluster(store: CorrectionStore, redis: Redis) -> None:
    """It has the items that were picked, and its name from the first of them."""
    c = Clusters(redis, a=3)
    items = [c.item("a0"), c.item("a2")]
    done = store.split("larder", c["a"], items, DECIDED).correction
    assert (done["out_of"], done["items"]) == ([c["a"]], items)
    made = c.read(done["into"])
    assert ids.project_of(made["id"], "cl") == "larder"
    assert (made["size"], made["status"], made["created_at"]) == (2, "open", NOW)
    assert (made["name"], made["named_by"]) == (feedback().title, "title")
    assert (made["first_seen"], made["last_seen"]) == (NOW, NOW + 2)
    assert c.where("a1") == c["a"]
    assert (c.read("a")["first_seen"], c.read("a")["last_seen"]) == (NOW + 1, NOW + 1)


def test_splitting_again_finds_the_split(
    store: CorrectionStore, redis: Redis, redis_url: str
) -> None:
    """The very same items; others are no longer in the cluster."""
    c = Clusters(redis, a=4, b=1, c=1)
    items = [c.item("a0"), c.item("a1")]
    first = store.split("larder", c["a"], items, DECIDED)
    store.split("larder", c["a"], [c.item("a2")], DECIDED)
    store.merge("larder", c["b"], [c["a"]], DECIDED)
    before = everything(redis_url)
    again = store.split("larder", c["a"], items[::-1], DECIDED)
    assert (again.correction, again.made) == (first.correction, False)
    for other in (
        items[:1],
        [*items, c.item("a2")],
        [items[0], c.item("a2")],
        [*items, c.item("a3")],
    ):
        with pytest.raises(Conflict, match="is not in"):
            store.split("larder", c["a"], other, DECIDED)
    with pytest.raises(Conflict, match="is not in"):
        store.split("larder", c["c"], items, DECIDED)
    assert everything(redis_url) == before
    store.move("larder", first.correction["into"], c.item("a1"), c["b"], DECIDED)
    store.split("larder", c["b"], [c.item("a1")], DECIDED)
    with pytest.raises(Conflict, match="is not in"):
        store.split("larder", c["a"], items, DECIDED)
    store.move("larder", c["a"], c.item("a3"), first.correction["into"], DECIDED)
    with pytest.raises(Conflict, match="is not in"):
        store.split("larder", c["a"], [c.item("a3")], DECIDED)


def test_what_can_not_be_split(store: CorrectionStore, redis: Redis, redis_url: str) -> None:
    """What is not there, what is elsewhere and all of it."""
    c = Clusters(redis, a=2, b=1)
    stored(redis, feedback(external_id="pending"))
    before = everything(redis_url)
    with pytest.raises(NotThere, match="cluster"):
        store.split("larder", "cl_larder_none", [c.item("a0")], DECIDED)
    with pytest.raises(NotThere, match="feedback"):
        store.split("larder", c["a"], [c.item("a0"), c.item("none")], DECIDED)
    for name in ("b0", "pending"):
        with pytest.raises(Conflict, match="is not in"):
            store.split("larder", c["a"], [c.item("a0"), c.item(name)], DECIDED)
    with pytest.raises(Conflict, match="nothing would be left"):
        store.split("larder", c["a"], [c.item("a0"), c.item("a1")], DECIDED)
    assert everything(redis_url) == before


def test_an_item_is_moved_once(store: CorrectionStore, redis: Redis, redis_url: str) -> None:
    """It is in the other cluster; asking again finds the move, also when that has been merged."""
    c = Clusters(redis, a=2, b=1, c=1)
    first = store.move("larder", c["a"], c.item("a0"), c["b"], DECIDED)
    assert (first.correction["into"], first.correction["out_of"]) == (c["b"], [c["a"]])
    assert (c.where("a0"), c.where("a1")) == (c["b"], c["a"])
    store.merge("larder", c["c"], [c["b"]], DECIDED)
    before = everything(redis_url)
    again = store.move("larder", c["a"], c.item("a0"), c["b"], DECIDED)
    assert (again.correction, again.made) == (first.correction, False)
    for cluster, to in ((c["a"], c["a"]), (c["b"], c["c"]), (c["c"], c["c"])):
        with pytest.raises(Conflict):
            store.move("larder", cluster, c.item("a0"), to, DECIDED)
    assert everything(redis_url) == before
    store.merge("larder", c["c"], [c["a"]], DECIDED)
    with pytest.raises(Conflict, match="already"):
        store.move("larder", c["c"], c.item("a0"), c["c"], DECIDED)


def test_what_can_not_be_moved(store: CorrectionStore, redis: Redis, redis_url: str) -> None:
    """What is not there or elsewhere, what an agent works on the last of, and into an empty one."""
    c = Clusters(redis, a=1, b=2, c=1)
    store.move("larder", c["c"], c.item("c0"), c["b"], DECIDED)
    assert JobStore(redis).ask(c["a"], NOW, "ada").outcome == "created"
    before = everything(redis_url)
    for cluster, item, to in (
        ("cl_larder_none", c.item("a0"), c["b"]),
        (c["a"], c.item("none"), c["b"]),
        (c["a"], c.item("a0"), "cl_larder_none"),
    ):
        with pytest.raises(NotThere):
            store.move("larder", cluster, item, to, DECIDED)
    for cluster, item, to, why in (
        (c["a"], c.item("b0"), c["b"], "already"),
        (c["b"], c.item("a0"), c["b"], "is not in"),
        (c["a"], c.item("a0"), c["b"], "live job"),
        (c["b"], c.item("b0"), c["c"], "no items"),
    ):
        with pytest.raises(Conflict, match=why):
            store.move("larder", cluster, item, to, DECIDED)
    assert everything(redis_url) == before


def test_corrections_are_listed_newest_first(store: CorrectionStore, redis: Redis) -> None:
    """All of them, undone or not, page by page; None without such a project."""
    c = Clusters(redis, a=4)
    for n in range(3):
        store.split("larder", c["a"], [c.item(f"a{n}")], DECIDED)
    store.undo("cor_larder_2", DECIDED)
    first = store.page("larder", "", 2)
    assert first is not None
    assert [each["id"] for each in first.items] == ["cor_larder_3", "cor_larder_2"]
    assert [each["undone"] is None for each in first.items] == [True, False]
    rest = store.page("larder", "2:2", 2)
    assert rest is not None
    assert ([each["id"] for each in rest.items], rest.next_cursor) == (["cor_larder_1"], None)
    assert store.page("other", "", 2) is None


def test_projects_do_not_meet(store: CorrectionStore, redis: Redis) -> None:
    """Each counts its corrections for itself, and sees none of another's clusters."""
    c = Clusters(redis, a=2)
    ProjectStore(redis).put(Project(id="attic", name="Attic"), new=True)
    with pytest.raises(NotThere):
        store.split("attic", c["a"], [c.item("a0")], DECIDED)
    store.split("larder", c["a"], [c.item("a0")], DECIDED)
    page = store.page("attic", "", 5)
    assert page is not None
    assert page.total == 0
