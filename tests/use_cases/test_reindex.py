"""The vector index is a cache: it can be lost, and made anew."""

from collections.abc import Sequence

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from soulcaster.edges.gemini import GeminiError
from soulcaster.edges.vector import Vectors
from soulcaster.use_cases import reindex as use_case
from soulcaster.use_cases.reindex import Reindexed, reindex
from tests.support.grouping import PROJECT, TOKEN, WIDTH, Topics, Working


def wipe(index: str) -> None:
    """Nothing is left in the index."""
    httpx.post(f"{index}/reset?all", headers={"authorization": f"Bearer {TOKEN}"})


def in_step(working: Working, items: Sequence[str]) -> None:
    """The index has a vector of what each of ``items`` says now."""
    page = working.feedback.texts(PROJECT, "", 1_000, {})
    assert page is not None
    texts = {one.id: one.text for one in page.items}
    assert texts.keys() == set(items)
    found = working.vectors.fetch(PROJECT, items)
    for item in items:
        assert np.allclose(found[item], Topics().embed([texts[item]])[0], atol=1e-5)


def test_a_wiped_index_is_made_anew(
    working: Working, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every item that is compared has its vector, no cluster has changed, and the next report of
    a known problem finds its cluster.
    """
    monkeypatch.setattr(use_case, "PAGE", 3)
    items = working.store(0, 1, 0, 1, 0, 1, 2)
    copies = working.store(2, 2, say="again")
    working.cluster()
    working.look()
    before = working.groups()
    wipe(index)
    assert working.reindex() == Reindexed(8, 8)
    assert working.groups() == before
    in_step(working, [*items, min(copies)])
    (late,) = working.store(1)
    working.cluster()
    assert working.where(late) == working.where(items[1])


def test_what_is_pending_is_left_to_its_batch(working: Working) -> None:
    """Put too early, it would hide what was known."""
    items = working.store(0, 1)
    working.cluster()
    waits = working.store(0)
    assert working.reindex() == Reindexed(2, 2)
    assert working.vectors.known(PROJECT, [*items, *waits]) == set(items)


def test_a_run_that_was_cut_off_goes_on(
    working: Working, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is missing is embedded; with nothing missing, nothing is."""
    monkeypatch.setattr(use_case, "PAGE", 2)
    items = working.store(0, 1, 2, 3, 4)
    working.cluster()
    wipe(index)

    def cut_off(texts: Sequence[str]) -> NDArray[np.float32]:
        if working.vectors.known(PROJECT, items):
            raise GeminiError("enough")
        return Topics().embed(texts)

    monkeypatch.setattr(working.gemini, "embed", cut_off)
    with pytest.raises(GeminiError):
        working.reindex()
    assert len(working.vectors.known(PROJECT, items)) == 2
    working.gemini = Topics()
    assert working.reindex(only_missing=True) == Reindexed(5, 3)
    assert working.reindex(only_missing=True) == Reindexed(5, 0)
    in_step(working, items)


def test_another_model_has_a_space_of_its_own(working: Working, index: str) -> None:
    """The old one stays as it was. Clusters are the same in the new one, and so is what joins."""
    items = working.store(0, 1, 0, 1, 0, 1)
    working.cluster()
    working.look()
    before, old = working.groups(), working.vectors.fetch(PROJECT, items)
    working.vectors = Vectors(index, TOKEN, "other", WIDTH)
    working.gemini = Topics(shift=7)
    assert working.reindex() == Reindexed(6, 6)
    assert working.groups() == before
    kept = Vectors(index, TOKEN, "topics", WIDTH).fetch(PROJECT, items)
    assert all(np.array_equal(kept[item], old[item]) for item in items)
    (late,) = working.store(1)
    working.cluster()
    assert working.where(late) == working.where(items[1])
    working.look()
    assert working.groups() == {
        cluster: members | ({late} if items[1] in members else set())
        for cluster, members in before.items()
    }


@pytest.mark.parametrize("clustered", [False, True], ids=["edited", "edited and clustered"])
def test_what_is_edited_meanwhile_is_indexed_by_what_it_says_then(
    working: Working, monkeypatch: pytest.MonkeyPatch, clustered: bool
) -> None:
    """Also when its batch has put the new vector before the old text's is put."""
    others = working.store(1, 2)
    (item,) = working.store(0, again="x")
    working.cluster()
    edits = iter([3, 4])

    def edited(texts: Sequence[str]) -> NDArray[np.float32]:
        for topic in edits:
            working.store(topic, again="x")
            if clustered:
                working.cluster()
            break
        return Topics().embed(texts)

    mine = Topics()
    monkeypatch.setattr(mine, "embed", edited)
    done = reindex(PROJECT, feedback=working.feedback, vectors=working.vectors, gemini=mine)
    assert done == Reindexed(3, 5)
    in_step(working, [*others, item])


def test_batches_go_on_meanwhile(
    working: Working, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a wiped index is filled, batches run: nothing is lost, and clusters stay as they are.

    What could not find its cluster meanwhile does so at the next look.
    """
    monkeypatch.setattr(use_case, "PAGE", 2)
    items = working.store(*range(5), *range(5))
    working.cluster()
    working.look()
    before = working.where(*items)
    wipe(index)
    late: list[str] = []

    def meanwhile(texts: Sequence[str]) -> NDArray[np.float32]:
        late.extend(working.store(len(late) % 5))
        working.cluster()
        return Topics().embed(texts)

    mine = Topics()
    monkeypatch.setattr(mine, "embed", meanwhile)
    reindex(PROJECT, feedback=working.feedback, vectors=working.vectors, gemini=mine)
    assert len(late) >= 5
    assert working.where(*items) == before
    working.reindex(only_missing=True)
    in_step(working, [*items, *late])
    working.look()
    assert working.where(*items) == before
    assert working.where(*late) == [before[n % 5] for n in range(len(late))]


def test_no_project_is_no_index(working: Working) -> None:
    """None, and nothing is asked of anybody."""
    done = reindex(
        "attic", feedback=working.feedback, vectors=working.vectors, gemini=working.gemini
    )
    assert (done, working.gemini.asked) == (None, [])
