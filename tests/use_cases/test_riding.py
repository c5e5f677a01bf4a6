"""What says the same as something known costs no embedding."""

import pytest

from soulcaster.edges.vector import Vectors
from tests.support.grouping import DECIDED, PROJECT, TOKEN, WIDTH, Working

A, B = "cl_larder_a", "cl_larder_b"
NOWHERE = "http://127.0.0.1:1"


def test_a_copy_of_what_is_known_is_not_embedded(working: Working) -> None:
    """Neither a model nor the index is asked for a batch of copies; they are where it is."""
    (first,) = working.store(0, say="again")
    working.put(A)
    working.gemini.asked.clear()
    copies = working.store(0, 0, 0, say="AGAIN!")
    index, working.vectors = working.vectors, Vectors(NOWHERE, TOKEN, "topics", WIDTH)
    batch = working.cluster()
    assert batch is not None
    assert (batch.clustered, working.gemini.asked) == (3, [])
    assert working.where(*copies) == [A] * 3
    why = working.item(copies[0])["why"]
    assert (why["because"], why["nearest"]) == (
        "fingerprint", [{"id": first, "cluster": A, "score": 1.0}]
    )  # fmt: skip
    assert index.known(PROJECT, [first, *copies]) == {first}
    assert working.shown(A)["size"] == 4


def test_of_copies_that_come_together_one_is_embedded(working: Working) -> None:
    """The others go where it goes, and the model names them by what is said once."""
    items = working.store(0, 0, 0, say="again")
    other = working.store(1)
    working.cluster()
    assert len(working.gemini.asked) == 2
    assert len(set(working.where(*items))) == 1
    assert working.where(*other) != working.where(items[0])
    assert working.vectors.known(PROJECT, items) == {min(items)}
    assert working.gemini.named == [["export loses rows of the file again"]]


def test_copies_weigh_what_they_are(working: Working) -> None:
    """A cluster of copies is as large as there are of them when two become one."""
    copies = working.store(0, 0, 0, 0, say="again")
    working.cluster()
    (home,) = set(working.where(*copies))
    others = working.store(0, 0)
    working.put(B)
    working.look()
    assert set(working.where(*copies, *others)) == {home}


def test_copies_move_along(working: Working) -> None:
    """When a look moves what they ride on, and new ones go there, too."""
    (item,) = working.store(0, say="again")
    working.put(B)
    copies = working.store(0, 0, say="again")
    working.cluster()
    others = working.store(1, 1)
    working.put(B)
    home = working.store(0, 0, 0, 0)
    working.put(A)
    working.look()
    assert working.where(item, *copies, *home) == [A] * 7
    assert working.where(*others) == [B] * 2
    why = working.item(copies[0])["why"]
    assert (why["because"], why["cluster"], why["nearest"][0]["id"]) == ("fingerprint", A, item)
    late = working.store(0, say="again")
    working.cluster()
    assert working.where(*late) == [A]


def test_copies_of_what_says_something_else_now_stay_together(working: Working) -> None:
    """One of them is embedded in its place, and what was edited goes where it belongs at a look."""
    working.store(0, say="again", again="x")
    working.put(A)
    copies = working.store(0, 0, say="again")
    working.cluster()
    others = working.store(1, 1)
    working.put(B)
    (edited,) = working.store(1, say="different", again="x")
    working.gemini.asked.clear()
    batch = working.cluster()
    assert batch is not None
    assert (batch.clustered, len(working.gemini.asked)) == (0, 2)
    assert working.where(edited, *copies) == [A] * 3
    assert working.vectors.known(PROJECT, copies) == {min(copies)}
    working.look()
    assert working.where(edited, *copies, *others) == [B, A, A, B, B]


def test_copies_come_back_to_what_they_ride_on(working: Working) -> None:
    """What joined it where a person had put it follows when that was taken back."""
    items = working.store(0, 0, 0)
    working.put(A)
    others = working.store(1, 1)
    working.put(B)
    (item,) = working.store(0, say="again")
    working.put(A)
    moved = working.people.move(PROJECT, A, item, B, DECIDED).correction
    copies = working.store(0, 0, say="again")
    working.cluster()
    assert working.where(item, *copies) == [B] * 3
    working.people.undo(moved["id"], DECIDED)
    assert working.where(item, *copies) == [A, B, B]
    working.look()
    assert working.where(*items, item, *copies, *others) == [A] * 6 + [B] * 2


@pytest.mark.parametrize("say", ["again", "different"])
def test_a_copy_that_is_edited_while_it_waits_is_what_it_says_then(
    working: Working, say: str
) -> None:
    """It rides or is embedded by what it says when it is clustered."""
    (first,) = working.store(0, say="again")
    working.put(A)
    (item,) = working.store(0, say="again", again="x")
    working.store(0, say=say, again="x")
    working.cluster()
    assert working.where(item) == [A]
    assert working.vectors.known(PROJECT, [first, item]) == (
        {first} if say == "again" else {first, item}
    )
