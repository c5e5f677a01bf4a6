"""When a second look is due, what it sees, and what becomes of what it comes to."""

import pytest

from soulcaster.edges import look_store
from soulcaster.edges.cluster_store import Claim, Cluster, ClusterStore, Decided, Named, Point
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.look_store import Followed, LookClaim, LookStore, Moved, Rider
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis, Stale
from soulcaster.rules.project import Project
from tests.edges.clusters import LEASE_MS, claimed, clustered, into, stored
from tests.edges.lettered import DECIDED, Clusters
from tests.edges.lua import call
from tests.edges.servers import command, everything
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def looks(redis: Redis) -> LookStore:
    return LookStore(redis)


def due(redis: Redis, *, busy: bool = False, idle: bool = True, limit: int = 500) -> bool:
    """Whether a look is due after a batch whose rule says so."""
    claim = claimed(redis, limit=limit)
    decided = into(claim, "cl_larder_x")
    done = ClusterStore(redis).commit(
        claim, decided, [], [], NOW, NOW, look_busy=busy, look_idle=idle
    )
    return done.look


def asked(looks: LookStore, owner: str = "a") -> LookClaim:
    """A look that somebody wants now."""
    claim = looks.claim("larder", owner, LEASE_MS, NOW, asked=True)
    assert claim is not None
    return claim


# When


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("idle", [False, True])
def test_a_look_is_due_as_the_rule_says(
    redis: Redis, looks: LookStore, busy: bool, idle: bool
) -> None:
    """By what is left when the batch is committed: one more item, and then none."""
    stored(redis, feedback(external_id="1"), feedback(external_id="2"))
    for expected in (busy, busy or idle):
        assert due(redis, busy=busy, idle=idle, limit=1) is expected
        claim = looks.claim("", "a", LEASE_MS, NOW)
        assert (claim is not None) is expected
        if claim:
            looks.release(claim)


def test_what_was_clustered_is_counted_until_a_look(redis: Redis, looks: LookStore) -> None:
    """Since the last look, and since nothing waited; a look forgets the one and not the other."""
    stored(redis, *(feedback(external_id=str(n)) for n in range(4)))
    for since in (1, 2):
        due(redis, limit=1)
        learned = claimed(redis).learned
        assert (learned.since, learned.burst) == (since, since)
        ClusterStore(redis).release(claimed(redis))
    claim = asked(looks)
    assert claim.total == 2
    looks.commit(claim, [], [], [], "", NOW)
    due(redis, limit=1)
    learned = claimed(redis).learned
    assert (learned.since, learned.burst) == (1, 3)
    assert (learned.looks, learned.looked_total, learned.looked_at) == (1, 2, NOW)
    due(redis)
    stored(redis, feedback(external_id="5"))
    assert claimed(redis).learned.burst == 0


def test_a_look_that_is_asked_for_is_not_forgotten(redis: Redis, looks: LookStore) -> None:
    """While somebody else holds the lease nobody looks; after that it is due, until it is done."""
    stored(redis, feedback())
    batch = claimed(redis, "b")
    assert looks.claim("larder", "a", LEASE_MS, NOW, asked=True) is None
    assert looks.claim("", "a", LEASE_MS, NOW) is None
    ClusterStore(redis).commit(batch, into(batch, "cl_larder_x"), [], [], NOW, NOW)
    claim = looks.claim("", "a", LEASE_MS, NOW)
    assert claim is not None
    looks.commit(claim, [], [], [], "", NOW)
    assert looks.claim("", "a", LEASE_MS, NOW) is None


def test_a_request_that_comes_again_is_answered_once(redis: Redis, looks: LookStore) -> None:
    """Its look was written and the handler killed after that; another request is another look."""
    clustered(redis, feedback())
    looks.commit(asked(looks), [], [], [], "", NOW)
    assert looks.claim("larder", "a", LEASE_MS, NOW, asked=True) is None
    assert looks.claim("", "a", LEASE_MS, NOW) is None
    assert looks.claim("larder", "b", LEASE_MS, NOW, asked=True) is not None


def test_looks_come_in_turn(redis: Redis, looks: LookStore) -> None:
    """The one that has been due longest first, but for those to skip."""
    ProjectStore(redis).put(Project(id="attic", name="Attic"), new=True)
    for moment, project in enumerate(("larder", "attic")):
        FeedbackStore(redis).store(project, [(feedback(project=project), "raw")])
        store = ClusterStore(redis)
        claim = store.claim(project, "a", LEASE_MS, 5, NOW)
        assert claim is not None
        store.commit(claim, into(claim, "cl_x"), [], [], NOW + moment, NOW, look_idle=True)
    first = looks.claim("", "a", LEASE_MS, NOW)
    assert first is not None
    second = looks.claim("", "b", LEASE_MS, NOW)
    assert second is not None
    assert (first.project, second.project) == ("larder", "attic")
    looks.release(first)
    assert looks.claim("", "b", LEASE_MS, NOW, skip=["larder", "attic"]) is None
    assert looks.claim("attic", "c", LEASE_MS, NOW) is None


def test_nobody_clusters_during_a_look(redis: Redis, looks: LookStore) -> None:
    """They hold the same lease, and the one that lost it writes nothing."""
    clustered(redis, feedback(external_id="1"))
    claim = asked(looks)
    stored(redis, feedback(external_id="2"))
    assert ClusterStore(redis).claim("larder", "b", LEASE_MS, 5, NOW) is None
    again = ClusterStore(redis).claim("larder", "a", LEASE_MS, 5, NOW)
    assert isinstance(again, Claim)
    with pytest.raises(Stale):
        looks.commit(claim, [], [], [], "", NOW)


# What


def test_pages_hold_all_that_is_clustered(
    redis: Redis, redis_url: str, looks: LookStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points, and riders with what they ride on, each once; what is pending is left out."""
    monkeypatch.setattr(look_store, "PAGE", 2)
    c = Clusters(redis, a=3, b=2)
    body = "ride('p:larder:', cjson.decode(ARGV[1]), cjson.decode(ARGV[2]))"
    call(redis_url, "riders", body, c.item("b1"), c.item("a0"))
    stored(redis, *(feedback(external_id=f"waits{n}", created_at=NOW + 1) for n in range(5)))
    points: list[Point] = []
    riders: list[Rider] = []
    clusters: dict[str, Cluster] = {}
    position = ""
    for _ in range(3):
        page = looks.page("larder", position)
        points += page.points
        riders += page.riders
        clusters |= page.clusters
        position = page.next
    assert position == ""
    assert sorted(p.id for p in points) == sorted(c.item(i) for i in ("a0", "a1", "a2", "b0"))
    assert {p.id: p.riders for p in points}[c.item("a0")] == 1
    assert riders == [Rider(c.item("b1"), c["b"], c.item("a0"), held=False)]
    assert {i: (one.size, one.points) for i, one in clusters.items()} == {
        c["a"]: (3, 3), c["b"]: (2, 1)
    }  # fmt: skip


def test_the_most_touched_come_first(
    redis: Redis, looks: LookStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as there is room; one that does not fit is left out."""
    c = Clusters(redis, a=3, b=2, c=4, d=1, e=1)
    stored(redis, feedback(external_id="new"))
    claim = claimed(redis)
    touched = {c["a"]: 5, c["b"]: 2, c["c"]: 9, c["d"]: 2}
    ClusterStore(redis).commit(claim, [], [], [], NOW, NOW, touched=touched)
    found = looks.touched("larder", "", 3, 7)
    order = list(dict.fromkeys(point.cluster for point in found.points))
    assert order == [c["c"], c["a"], c["d"]]
    assert [p.id for p in found.points if p.cluster == c["c"]] == [
        c.item(i) for i in ("c0", "c1", "c3")
    ]
    assert found.next == ""
    monkeypatch.setattr(look_store, "PAGE", 4)
    seen: list[str] = []
    position = ""
    for _ in range(3):
        page = looks.touched("larder", position, 3, 9 - len(seen))
        seen += [point.cluster for point in page.points]
        position = page.next
    assert position == ""
    assert sorted(seen) == sorted([c["c"]] * 3 + [c["a"]] * 3 + [c["b"]] * 2 + [c["d"]])


# What becomes of it


def test_a_commit_is_all_of_it(redis: Redis, redis_url: str, looks: LookStore) -> None:
    """Moves with their reasons, names, and the geometry; nothing is due then, and all is free."""
    c = Clusters(redis, a=2, b=1)
    claim = asked(looks)
    why, name = '{"score": 0.9}', Named(c["b"], "Export", "Rows are lost.", 2, "model")
    moves = [Moved(c.item("a0"), c["a"], c["b"], why, "{}")]
    assert looks.commit(claim, moves, [], [name], '{"space": "x"}', NOW) == 1
    assert (c.where("a0"), c.where("a1")) == (c["b"], c["a"])
    item = FeedbackStore(redis).read("larder", c.item("a0"))
    assert item is not None
    assert item["why"] == {"score": 0.9}
    assert (c.read("b")["name"], c.read("b")["size"]) == ("Export", 2)
    stored(redis, feedback(external_id="new"))
    assert claimed(redis).learned.geometry == '{"space": "x"}'
    assert command(redis_url, "EXISTS", "sys:looks", "p:larder:touched") == 0


def test_a_stale_look_commits_nothing(redis: Redis, redis_url: str, looks: LookStore) -> None:
    """Whose lease was lost has written nothing at all."""
    c = Clusters(redis, a=2, b=1)
    claim = asked(looks)
    looks.release(claim)
    before = everything(redis_url)
    moves = [Moved(c.item("a0"), c["a"], c["b"], "{}", "{}")]
    with pytest.raises(Stale, match="lease on larder was lost"):
        looks.commit(claim, moves, [], [], "{}", NOW)
    assert everything(redis_url) == before


def test_riders_are_told_why_they_went_along(
    redis: Redis, redis_url: str, looks: LookStore
) -> None:
    """Their reason is that what they ride on went."""
    c = Clusters(redis, a=2, b=1)
    body = "ride('p:larder:', cjson.decode(ARGV[1]), cjson.decode(ARGV[2]))"
    call(redis_url, "riders", body, c.item("a1"), c.item("a0"))
    moves = [Moved(c.item("a0"), c["a"], c["b"], '{"n": 1}', '{"n": 2}')]
    assert looks.commit(asked(looks), moves, [], [], "", NOW) == 2
    for name, n in (("a0", 1), ("a1", 2)):
        item = FeedbackStore(redis).read("larder", c.item(name))
        assert item is not None
        assert (item["cluster"], item["why"]) == (c["b"], {"n": n})


def test_the_rest_of_an_emptied_cluster_follows(redis: Redis, looks: LookStore) -> None:
    """But for those that a correction holds."""
    c = Clusters(redis, a=3, b=1, c=1)
    claim = asked(looks)
    moves = [Moved(c.item("a0"), c["a"], c["b"], "{}", "{}")]
    follows = [Followed(c["a"], c["b"], '{"because": "followed"}')]
    assert looks.commit(claim, moves, follows, [], "", NOW) == 3
    assert (c.read("b")["size"], c.read("a")["status"]) == (4, "merged")
    CorrectionStore(redis).merge("larder", c["b"], [c["c"]], DECIDED)
    stored(redis, feedback(external_id="new"))
    batch = claimed(redis)
    ClusterStore(redis).commit(batch, into(batch, c["b"]), [], [], NOW, NOW)
    follows = [Followed(c["b"], c["a"], "{}")]
    assert looks.commit(asked(looks, "b"), [], follows, [], "", NOW) == 1
    assert (c.read("b")["size"], c.read("a")["size"]) == (5, 1)


@pytest.mark.parametrize("settled", ["resolved", "ignored", "job", "pull"])
def test_what_was_settled_meanwhile_is_not_emptied(
    redis: Redis, redis_url: str, looks: LookStore, settled: str
) -> None:
    """Items may leave it, but not the last ones."""
    c = Clusters(redis, a=2, b=1)
    claim = asked(looks)
    field = settled if settled in ("job", "pull") else "status"
    command(redis_url, "HSET", f"p:larder:cl:{c['a']}", field, settled)
    moves = [Moved(c.item(i), c["a"], c["b"], "{}", "{}") for i in ("a0", "a1")]
    assert looks.commit(claim, moves, [Followed(c["a"], c["b"], "{}")], [], "", NOW) == 1
    assert (c.where("a0"), c.where("a1")) == (c["b"], c["a"])


def test_what_is_edited_before_it_is_decided_has_no_old_marks(
    redis: Redis, looks: LookStore
) -> None:
    """A page shows an item as it was last embedded."""
    item = feedback()
    stored(redis, item)
    for marks in ("bWFya3M=", "b3RoZXI="):
        claim = claimed(redis)
        decided = Decided(item.id, claim.items[0].text_hash, "cl_larder_x", "{}", marks=marks)
        ClusterStore(redis).commit(claim, [decided], [], [], NOW, NOW)
        (point,) = looks.page("larder", "").points
        assert point.marks == marks
        stored(redis, feedback(title="Dark mode", version=NOW + 1))
