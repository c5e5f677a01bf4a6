from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from local import vector
from local.serve import free_port, running
from soulcaster.edges import vector as edge
from soulcaster.edges.vector import VectorError, Vectors
from tests.edges.servers import HANG, answer, scripted

TOKEN, WIDTH = "vector-token", 8


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with running(vector.app(tmp_path, TOKEN, WIDTH)) as url:
        yield url


@pytest.fixture
def vectors(url: str) -> Vectors:
    return Vectors(url, TOKEN, "all-MiniLM L6_v2", WIDTH)


def unit(count: int, seed: int = 7) -> NDArray[np.float32]:
    """So many random directions."""
    rows = np.random.default_rng(seed).normal(size=(count, WIDTH))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("queries", [1, 2, 5])
def test_neighbours_are_exact(vectors: Vectors, queries: int) -> None:
    """For one query as for many: the nearest first, with their true cosines."""
    known, asked = unit(20), unit(queries, seed=8)
    vectors.put("larder", [f"v{n}" for n in range(20)], known)
    found = vectors.nearest("larder", asked, 4)
    cosines = asked @ known.T
    assert len(found) == queries
    for row, hits in zip(cosines, found, strict=True):
        assert [name for name, _ in hits] == [f"v{n}" for n in np.argsort(-row)[:4]]
        assert [cosine for _, cosine in hits] == pytest.approx(sorted(row)[:-5:-1], abs=1e-5)


@pytest.mark.parametrize("queries", [1, 3])
def test_an_empty_index_has_no_neighbours(vectors: Vectors, queries: int) -> None:
    """Before anything was put, each query gets an empty answer."""
    assert vectors.nearest("larder", unit(queries), 4) == [[]] * queries


def test_a_vector_is_replaced(vectors: Vectors) -> None:
    """Putting an id again moves it, and makes no second one."""
    rows = unit(2)
    vectors.put("larder", ["a"], rows[:1])
    vectors.put("larder", ["a"], rows[1:])
    ((hit,),) = vectors.nearest("larder", rows[1:], 5)
    assert hit[0] == "a"
    assert hit[1] == pytest.approx(1, abs=1e-5)


def test_projects_and_models_do_not_meet(vectors: Vectors, url: str) -> None:
    """Each project has a space of its own, and so has each model."""
    rows = unit(1)
    vectors.put("larder", ["a"], rows)
    assert vectors.nearest("other", rows, 5) == [[]]
    assert Vectors(url, TOKEN, "another-model", WIDTH).nearest("larder", rows, 5) == [[]]


def test_a_large_batch_is_put_in_parts(vectors: Vectors) -> None:
    """More than one request may hold arrive all the same, and can be had again."""
    rows = unit(1_200)
    names = [f"v{n}" for n in range(1_200)]
    vectors.put("larder", names, rows)
    for place in (0, 999, 1_000, 1_199):
        ((hit, *_),) = vectors.nearest("larder", rows[place : place + 1], 1)
        assert hit[0] == f"v{place}"
    fetched = vectors.fetch("larder", names)
    assert list(fetched) == names
    assert np.allclose(np.stack(list(fetched.values())), rows, atol=1e-6)


def test_what_is_not_there_is_not_fetched(vectors: Vectors) -> None:
    """Only the ids that the project has come back, whether there are others or none at all."""
    assert vectors.fetch("larder", ["a"]) == {}
    vectors.put("larder", ["a"], unit(1))
    assert vectors.fetch("larder", ["b", "a", "c"]).keys() == {"a"}
    assert vectors.known("larder", ["b", "a", "c"]) == {"a"}
    assert vectors.fetch("other", ["a"]) == {}
    assert vectors.known("other", ["a"]) == set()


def test_nothing_is_asked_for_nothing() -> None:
    """An empty batch makes no request."""
    with scripted() as server:
        vectors = Vectors(server.url, TOKEN, "m", WIDTH)
        vectors.put("larder", [], np.empty((0, WIDTH), np.float32))
        assert vectors.fetch("larder", []) == {}
    assert server.connections == 0


def test_an_id_needs_its_vector(vectors: Vectors) -> None:
    """A batch that doesn't fit together is the caller's mistake, and nothing of it is put."""
    with pytest.raises(ValueError, match="zip"):
        vectors.put("larder", ["a", "b"], unit(1))
    assert vectors.nearest("larder", unit(1), 1) == [[]]


def test_what_was_put_may_not_show_yet(vectors: Vectors, url: str) -> None:
    """The index lags behind, and that is no error."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    httpx.post(f"{url}/_local/lag", json={"held": True}, headers=headers).raise_for_status()
    vectors.put("larder", ["a"], unit(1))
    assert vectors.nearest("larder", unit(1), 1) == [[]]


def test_a_refusal_is_an_error(url: str) -> None:
    """A wrong token or a wrong width is named, for questions and for vectors."""
    for refused, why in (
        (Vectors(url, "wrong", "m", WIDTH), "Unauthorized"),
        (Vectors(url, TOKEN, "m", WIDTH), "dimension"),
    ):
        rows = unit(2) if why == "Unauthorized" else unit(2)[:, :3]
        with pytest.raises(VectorError, match=f"query: .*{why}"):
            refused.nearest("larder", rows, 1)
        with pytest.raises(VectorError, match=f"upsert: .*{why}"):
            refused.put("larder", ["a", "b"], rows)
    with pytest.raises(VectorError, match=r"fetch: .*Unauthorized"):
        Vectors(url, "wrong", "m", WIDTH).fetch("larder", ["a"])


@pytest.mark.parametrize("body", [b"<html/>", b"null", b"[]", b"{}", b'{"result": 5}', b""])
def test_no_other_answer_is_taken_for_one(body: bytes) -> None:
    """A proxy's page is an error, and nothing is tried again by itself."""
    with scripted([answer(body)], [answer(body)], [answer(body)]) as server:
        other = Vectors(server.url, TOKEN, "m", WIDTH)
        with pytest.raises(VectorError, match="query"):
            other.nearest("larder", unit(2), 1)
        assert len(server.requests) == 1
        with pytest.raises(VectorError, match="fetch"):
            other.fetch("larder", ["a"])


def test_silence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stalled index is given up after the time limit, a missing one at once."""
    monkeypatch.setattr(edge, "TIMEOUT_SECONDS", 0.2)
    with scripted([HANG]) as server:
        silent = Vectors(server.url, TOKEN, "m", WIDTH)
        with pytest.raises(VectorError, match="ReadTimeout"):
            silent.nearest("larder", unit(1), 1)
    nobody = Vectors(f"http://127.0.0.1:{free_port()}", TOKEN, "m", WIDTH)
    with pytest.raises(VectorError, match="ConnectError"):
        nobody.put("larder", ["a"], unit(1))


def test_vectors_are_deleted(vectors: Vectors) -> None:
    """Those that are there, however many; the others of a project, and other projects', stay."""
    rows = unit(1_003)
    names = [f"v{n}" for n in range(1_003)]
    vectors.put("larder", names, rows)
    vectors.put("attic", names[:1], rows[:1])
    vectors.delete("larder", [*names[1:], "none"])
    assert vectors.known("larder", names) == {"v0"}
    assert vectors.known("attic", names) == {"v0"}
    vectors.delete("larder", names)
    vectors.delete("cellar", names)
    assert vectors.known("larder", names) == set()


def test_nothing_to_delete_is_no_request() -> None:
    """Nobody is asked."""
    Vectors(f"http://127.0.0.1:{free_port()}", TOKEN, "m", WIDTH).delete("larder", [])


def test_a_deletion_that_fails_is_said() -> None:
    """What could not be deleted is to be deleted again."""
    with (
        scripted([answer(b"no", "500 Internal Server Error")]) as server,
        pytest.raises(VectorError, match="delete"),
    ):
        Vectors(server.url, TOKEN, "m", WIDTH).delete("larder", ["a"])
