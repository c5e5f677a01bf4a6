"""The vectors of items that were withdrawn leave the index."""

import pytest

from soulcaster.edges.gemini import GeminiError
from soulcaster.rules.readings import Withdrawn
from soulcaster.use_cases.cluster_pending import Unclustered
from tests.edges.servers import command
from tests.support.grouping import PROJECT, THEN, Working


def withdraw(working: Working, *items: str) -> None:
    """They are deleted at their source."""
    readings = [Withdrawn(project=PROJECT, about=item, received_at=THEN) for item in items]
    working.feedback.store(PROJECT, [(one, "") for one in readings])


def indexed(working: Working, *items: str) -> set[str]:
    """Those that have a vector."""
    return working.vectors.known(PROJECT, items)


def test_a_run_deletes_what_is_gone(working: Working, redis_url: str) -> None:
    """Where nothing is pending, too; then there is no work left, and others keep theirs."""
    items = working.store(0, 0, 1)
    working.cluster()
    withdraw(working, items[0], items[2])
    assert indexed(working, *items) == {*items}
    done = working.cluster()
    assert done is not None
    assert (done.clustered, done.pending, done.more) == (0, 0, False)
    assert indexed(working, *items) == {items[1]}
    assert working.cluster() is None
    assert command(redis_url, "EXISTS", "sys:pending", "p:larder:gone", "p:larder:lease") == 0
    (late,) = working.store(0)
    working.cluster()
    assert working.where(late) == working.where(items[1])


def test_what_is_pending_is_clustered_beside_that(working: Working) -> None:
    """In one run."""
    (gone,) = working.store(0)
    working.cluster()
    withdraw(working, gone)
    (late,) = working.store(0)
    done = working.cluster()
    assert done is not None
    assert done.clustered == 1
    assert indexed(working, gone, late) == {late}


def test_what_is_withdrawn_while_it_is_embedded_is_deleted_later(
    working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was put into the index when nobody knew; it is in no cluster."""
    gone, stays = working.store(0, 1)
    put = working.vectors.put

    def putting(*given: object) -> None:
        withdraw(working, gone)
        put(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(working.vectors, "put", putting)
        done = working.cluster()
    assert done is not None
    assert done.clustered == 1
    assert indexed(working, gone, stays) == {gone, stays}
    assert working.cluster() is not None
    assert indexed(working, gone, stays) == {stays}
    assert working.feedback.read(PROJECT, gone) is None


def test_nothing_is_forgotten_before_it_is_gone(
    working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that fails after it deleted vectors has them deleted once more."""
    (gone,) = working.store(0)
    working.cluster()
    withdraw(working, gone)
    working.store(1)
    with monkeypatch.context() as patch:

        def fails(_: object) -> None:
            raise GeminiError("down")

        patch.setattr(working.gemini, "embed", fails)
        with pytest.raises(Unclustered):
            working.cluster()
    claim = working.clusters.claim(PROJECT, "b", 1_000, 5, THEN)
    assert claim is not None
    assert claim.gone == (gone,)
