"""A second look at clusters."""

import logging

import httpx
import pytest

from soulcaster.edges.job_store import JobStore
from soulcaster.rules.grouping import due
from soulcaster.use_cases import batch
from soulcaster.use_cases.cluster_pending import Unclustered
from tests.support.grouping import DECIDED, PROJECT, TOKEN, Working


def mixed_up(working: Working, *, lag: bool = False) -> list[str]:
    """Four reports of one problem and three of another, the last of each in the other's cluster."""
    items = []
    for cluster, topics in (("cl_larder_a", (0, 0, 0, 1)), ("cl_larder_b", (1, 1, 0))):
        items += working.store(*topics)
        working.put(cluster, lag=lag)
    return items


A, B = "cl_larder_a", "cl_larder_b"
RIGHT = [A, A, A, B, B, B, A]


def test_what_was_put_wrongly_is_put_right(working: Working) -> None:
    """Each goes to where most of its like are, and says why; the clusters keep their ids."""
    items = mixed_up(working)
    look = working.look()
    assert look is not None
    assert (look.project, look.points, look.moved) == (PROJECT, 7, 2)
    assert working.where(*items) == RIGHT
    why = working.item(items[3])["why"]
    assert (why["cluster"], why["because"], why["opened"]) == (B, "similar", False)
    assert why["score"] > why["bar"] > 0
    assert {near["id"] for near in why["nearest"]} == set(items[4:6])
    assert {near["cluster"] for near in why["nearest"]} == {B}


def test_a_look_that_finds_all_right_changes_nothing(working: Working) -> None:
    """Run again, it moves nobody and names nobody."""
    mixed_up(working)
    working.look()
    working.gemini.named.clear()
    before = working.groups()
    look = working.look()
    assert look is not None
    assert look.moved == 0
    assert (working.groups(), working.gemini.named) == (before, [])


def test_clusters_of_one_problem_become_one(working: Working) -> None:
    """The larger one stays, under a new name if it has doubled; the other says where it went."""
    items = []
    for cluster, size in ((A, 2), (B, 3)):
        items += working.store(*[0] * size)
        working.put(cluster)
    working.look()
    assert set(working.where(*items)) == {B}
    assert (working.shown(A)["status"], working.shown(A)["merged_into"]) == ("merged", B)
    assert working.shown(B)["name"] == "export loses rows of the file"
    assert (working.shown(B)["size"], working.shown(B)["named_by"]) == (5, "model")


def test_a_cluster_of_two_problems_becomes_two(working: Working) -> None:
    """The new one is named by its founder and the look, and called after what it holds."""
    items = working.store(0, 0, 0, 1, 1)
    working.put(A)
    working.look()
    first, second = working.groups().values()
    assert {frozenset(first), frozenset(second)} == {frozenset(items[:3]), frozenset(items[3:])}
    assert working.where(items[0]) == [A]
    (other,) = set(working.where(*items[3:]))
    assert working.shown(other)["name"] == "night colours are unreadable"


def test_what_a_correction_holds_stays(working: Working) -> None:
    """However alike others are; what came later and nobody settled still moves."""
    items = mixed_up(working)
    made = working.people.move(PROJECT, A, items[0], B, DECIDED).correction
    late = working.store(1)
    working.put(A)
    held = working.where(*items)
    working.look()
    assert working.where(*items) == held
    assert working.where(*late) == [B]
    working.people.undo(made["id"], DECIDED)
    working.look()
    assert working.where(*items) == RIGHT


@pytest.mark.parametrize("settled", ["resolved", "ignored", "job"])
def test_what_is_settled_is_left_as_it_is(working: Working, settled: str) -> None:
    """Clusters that a person has closed, or an agent works on, are neither emptied nor joined."""
    items = []
    for cluster in (A, B):
        items += working.store(0, 0)
        working.put(cluster)
        if settled == "job":
            assert JobStore(working.redis).ask(cluster, working.now, "ada") is not None
        else:
            working.redis.run("cluster_status", PROJECT, cluster, settled, "ada", working.now, 0, 1)
    working.look()
    assert working.where(*items) == [A, A, B, B]


def test_what_the_index_does_not_show_yet_is_seen(working: Working) -> None:
    """Vectors of the last minutes are taken from where the batch left them."""
    items = mixed_up(working, lag=True)
    assert working.vectors.known(PROJECT, items) == set()
    working.look()
    assert working.where(*items) == RIGHT


def test_what_has_no_vector_is_left_out(
    working: Working, index: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays where it is, and the log says how many there are."""
    items = mixed_up(working)
    headers = {"authorization": f"Bearer {TOKEN}"}
    body = {"ids": [items[3], items[4]]}
    httpx.post(f"{index}/delete/{PROJECT}.topics-64", json=body, headers=headers)
    with caplog.at_level(logging.WARNING):
        look = working.look()
    assert look is not None
    assert (look.points, look.moved) == (5, 1)
    assert working.where(*items) == [A, A, A, A, B, B, A]
    (record,) = [r for r in caplog.records if r.message == "without vectors"]
    assert record.items == 2  # type: ignore[attr-defined]


def test_a_wiped_index_moves_nobody(working: Working, index: str) -> None:
    """A look that sees nothing decides nothing, and forgets nothing that was learned."""
    items = mixed_up(working)
    before = working.where(*items)
    httpx.post(f"{index}/reset?all", headers={"authorization": f"Bearer {TOKEN}"})
    look = working.look()
    assert look is not None
    assert (look.points, look.moved) == (0, 0)
    assert working.where(*items) == before


def test_of_a_large_project_what_was_touched_is_looked_at(
    working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clusters that no batch came near to are left alone, however wrong they are."""
    items = mixed_up(working)
    wrong = working.store(2, 2, 3)
    working.put("cl_larder_c")
    working.look()
    (apart,) = {*working.where(wrong[2])}
    assert apart != "cl_larder_c"
    more = [*working.store(4, 4, 4, 5)]
    working.put("cl_larder_d")
    monkeypatch.setattr(due, "WHOLE", 5)
    monkeypatch.setattr(batch, "NEIGHBOURS", 3)
    late = working.store(0)
    working.cluster()
    working.look()
    assert working.where(*items, *late) == [*RIGHT, A]
    assert set(working.where(*more)) == {"cl_larder_d"}, "nobody came near to it"
    monkeypatch.setattr(due, "WHOLE", 4_000)
    working.look()
    assert len(set(working.where(*more))) == 2


def test_those_not_looked_at_follow(working: Working, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large cluster some stand for all; when they go elsewhere, so do the others."""
    monkeypatch.setattr(due, "WHOLE", 5)
    monkeypatch.setattr(due, "PER_CLUSTER", 3)
    small = working.store(*[0] * 5)
    working.put(A)
    large = working.store(*[0] * 8)
    working.put(B)
    late = working.store(0)
    working.cluster()
    before = working.groups()
    look = working.look()
    assert look is not None
    assert look.points == 6
    (stays,) = set(working.where(*small, *large, *late))
    (gone,) = before.keys() - {stays}
    whys = [working.item(item)["why"].get("because") for item in before[gone]]
    assert (whys.count("similar"), whys.count("followed")) == (3, len(before[gone]) - 3)


def test_an_index_that_fails_gives_the_lease_back(working: Working) -> None:
    """Nothing has changed, the look is still due, and the next one makes up for it."""
    items = mixed_up(working)
    there, working.vectors = (
        working.vectors,
        type(working.vectors)("http://127.0.0.1:1", TOKEN, "topics", 64),
    )
    with pytest.raises(Unclustered, match="larder was not clustered"):
        working.look()
    working.vectors = there
    assert working.look(asked=False) is not None
    assert working.where(*items) == RIGHT


def test_no_look_is_taken_that_is_not_due(working: Working) -> None:
    """Unless somebody asks for it, or the batch's rule has said so."""
    mixed_up(working)
    assert working.look(asked=False) is None
    working.store(2)
    done = working.cluster()
    assert done is not None
    assert done.look, "the project was never looked at"
    assert working.look(asked=False) is not None
    working.store(2)
    done = working.cluster()
    assert done is not None
    assert done.look is due.due(8, 1, 0, 1)
