"""The emulated Upstash Vector, as its official client sees it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from upstash_vector import Index
from upstash_vector.errors import UpstashError

from local import vector
from local.serve import free_port, running

TOKEN = "a-token"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """An empty index of two dimensions."""
    with running(vector.app(tmp_path, TOKEN, 2)) as url:
        yield url


@pytest.fixture
def index(url: str) -> Index:
    return Index(url, TOKEN, retries=0)


def ids(found: Any) -> list[str]:
    return [item.id for item in found]


def set_lag(url: str, **lag: Any) -> None:
    httpx.post(f"{url}/_local/lag", json=lag, headers=AUTHORISED).raise_for_status()


def test_scores_are_the_vendors(index: Index) -> None:
    """Results come best first with (1 + cos) / 2, at most top_k of them."""
    index.upsert([("east", [2, 0]), ("north", [0, 0.5]), ("west", [-1, 0])])
    found = index.query([1, 0], top_k=3)
    assert ids(found) == ["east", "north", "west"]
    assert [item.score for item in found] == pytest.approx([1, 0.5, 0])
    assert ids(index.query([-1, 0.1], top_k=1)) == ["west"]


def test_many_queries_give_what_single_ones_give(tmp_path: Path) -> None:
    """A batch is answered in its order, exactly, each query by its own top_k and filter."""
    numbers = np.random.default_rng(7).normal(size=(300, 16))
    unit = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)
    nearest = np.argsort(-(unit @ unit.T), axis=1)
    with running(vector.app(tmp_path, TOKEN, 16)) as url:
        index = Index(url, TOKEN, retries=0)
        index.upsert([(n, numbers[n], {"even": n % 2 == 0}) for n in range(300)])
        batch = index.query_many(
            queries=[{"vector": numbers[n], "top_k": 1 + n % 7} for n in range(300)]
            + [{"vector": numbers[n], "filter": "even = true"} for n in range(300)]
        )
        assert index.query_many(queries=[{"vector": numbers[0], "top_k": 1}]) == batch[:1]
    for n in range(300):
        assert ids(batch[n]) == [str(m) for m in nearest[n][: 1 + n % 7]]
        assert ids(batch[300 + n]) == [str(m) for m in nearest[n] if m % 2 == 0][:10]


def test_only_what_is_asked_for_is_returned(index: Index) -> None:
    """Vector, metadata and data come only when included, and as they were given."""
    index.upsert([("a", [0.1, 0.2], {"text": "ż", "n": [1, {"x": None}]}, "some data")])
    (bare,) = index.query([1, 1])
    assert (bare.vector, bare.metadata, bare.data) == (None, None, None)
    everything: dict[str, Any] = {
        "include_vectors": True,
        "include_metadata": True,
        "include_data": True,
    }
    for full in [
        index.query([1, 1], **everything)[0],
        index.fetch("a", **everything)[0],
        index.range(limit=1, **everything).vectors[0],
    ]:
        assert full
        assert full.vector == [0.1, 0.2]
        assert full.metadata == {"text": "ż", "n": [1, {"x": None}]}
        assert full.data == "some data"


def test_an_upsert_replaces(index: Index) -> None:
    """The last upsert of an id counts, also within one batch, and leaves nothing of the first."""
    index.upsert([("a", [1, 0], {"old": 1}), ("b", [1, 0]), ("b", [0, 1])])
    index.upsert([("a", [0, 1])])
    assert [item.score for item in index.query([0, 1])] == [1, 1]
    assert [item.metadata for item in index.query([0, 1], include_metadata=True)] == [None, None]
    assert index.info().vector_count == 2


def test_fetch_answers_in_order_and_by_prefix(index: Index) -> None:
    """A missing id is None in its place; a prefix matches literally."""
    index.upsert([("p_1", [1, 0]), ("p_2", [1, 0]), ("px3", [1, 0])])
    assert [item and item.id for item in index.fetch(["px3", "no", "p_1"])] == ["px3", None, "p_1"]
    assert ids(index.fetch(prefix="p_")) == ["p_1", "p_2"]


def test_range_pages_through_everything_once(index: Index) -> None:
    """Following the cursor meets each vector once, though others are deleted on the way."""
    index.upsert([(f"v{n}", [1, n]) for n in range(10)])
    seen, cursor = [], ""
    while True:
        page = index.range(cursor=cursor, limit=3)
        seen += ids(page.vectors)
        index.delete(page.vectors[0].id)
        if not (cursor := page.next_cursor):
            break
    assert seen == [f"v{n}" for n in range(10)]
    assert ids(index.range(limit=10, prefix="v9").vectors) == []


def test_deletion_takes_effect_at_once(index: Index) -> None:
    """Deleted by id, prefix or filter, a vector is in no later answer, and the rest still is."""
    index.upsert([(f"{kind}{n}", [1, n], {"n": n}) for kind in "ab" for n in range(5)])
    assert index.delete(["a0", "missing", "b4"]).deleted == 2
    assert index.delete([]).deleted == 0
    assert index.delete(prefix="a").deleted == 4
    assert index.delete(filter="n >= 3").deleted == 1
    assert set(ids(index.query([1, 0]))) == {"b0", "b1", "b2"}
    assert [round(item.score, 3) for item in index.query([1, 1], top_k=1)] == [1]
    with pytest.raises(UpstashError, match="missing"):
        index.delete()


def test_update_changes_what_it_names(index: Index) -> None:
    """An update keeps the rest of the vector and says whether there was one."""
    index.upsert([("a", [1, 0], {"x": 1}, "data")])
    assert index.update("a", vector=[0, 1]) is True
    assert index.update("a", metadata={"y": 2}) is True
    (item,) = index.query([0, 1], include_metadata=True, include_data=True)
    assert (item.score, item.metadata, item.data) == (1, {"y": 2}, "data")
    assert index.update("missing", metadata={}) is False


def test_namespaces_are_apart(index: Index) -> None:
    """Each namespace holds, lists, resets and deletes its own vectors only."""
    for namespace in ["", "one", "two/ż"]:
        index.upsert([("a", [1, 0]), (f"only in {namespace}", [1, 0])], namespace=namespace)
    assert sorted(index.list_namespaces()) == ["", "one", "two/ż"]
    assert ids(index.query([1, 0], namespace="one")) == ["a", "only in one"]
    index.delete("a", namespace="one")
    assert index.info().namespaces["one"].vector_count == 1
    index.reset(namespace="one")
    index.delete_namespace("two/ż")
    counts = {name: info.vector_count for name, info in index.info().namespaces.items()}
    assert counts == {"": 2, "one": 0}
    with pytest.raises(UpstashError, match="does not exist"):
        index.delete_namespace("two/ż")
    index.reset(all=True)
    assert index.info().vector_count == 0


def test_an_invalid_filter_is_refused(index: Index) -> None:
    """It is an error, never an empty or unfiltered result, and deletes nothing."""
    index.upsert([("a", [1, 0], {"a": {"b": 1}})])
    with pytest.raises(UpstashError, match="Invalid filter"):
        index.query([1, 0], filter="a.b = 1")
    with pytest.raises(UpstashError, match="Invalid filter"):
        index.delete(filter="a.b = 1")
    assert index.info().vector_count == 1


def test_a_held_index_shows_nothing_new_to_queries(url: str, index: Index) -> None:
    """While held, queries see the state before; reads by id and deletions are not delayed."""
    index.upsert([("old", [1, 0]), ("gone", [1, 0])])
    set_lag(url, held=True)
    index.upsert([("new", [1, 0]), ("old", [0, 1]), ("never", [1, 0])])
    index.delete(["gone", "never"])
    assert ids(index.query([1, 0])) == ["old"]
    assert index.query([1, 0])[0].score == 1
    (fetched,) = index.fetch("old", include_vectors=True)
    assert fetched
    assert fetched.vector == [0, 1]
    assert (index.info().vector_count, index.info().pending_vector_count) == (1, 2)
    set_lag(url, held=False)
    assert ids(index.query([1, 0])) == ["new", "old"]
    assert index.info().pending_vector_count == 0


def test_a_lag_can_be_switched(tmp_path: Path) -> None:
    """An upsert stays invisible for the lag, which may be shortened while it waits."""
    with running(vector.app(tmp_path, TOKEN, 2, lag=3600)) as url:
        index = Index(url, TOKEN, retries=0)
        index.upsert([("a", [1, 0])])
        assert index.query([1, 0]) == []
        set_lag(url, seconds=0)
        assert ids(index.query([1, 0])) == ["a"]


def test_the_wrong_dimension_is_the_vendors_error(url: str, index: Index) -> None:
    """Upserts, updates and queries of another dimension fail, and store nothing."""
    index.upsert([("a", [1, 0])])
    attempts: list[Callable[[], object]] = [
        lambda: index.upsert([("b", [1, 0]), ("c", [1, 0, 0])]),
        lambda: index.update("a", vector=[1]),
        lambda: index.query([1, 2, 3]),
    ]
    for attempt in attempts:
        with pytest.raises(UpstashError, match=r"^Invalid vector dimension: \d, expected: 2$"):
            attempt()
    assert ids(index.query([1, 0])) == ["a"]
    response = httpx.post(f"{url}/query", json={"vector": [1]}, headers=AUTHORISED)
    assert response.status_code == 422
    assert response.json()["status"] == 422


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("upsert", [{"id": "a", "vector": ["1", "2"]}], 422),
        ("upsert", [{"id": "a", "vector": [1, None]}], 422),
        ("upsert", [{"id": "a", "vector": [[1], [1, 2]]}], 422),
        ("upsert", [{"id": "a", "vector": [1, 1e300]}], 422),
        ("upsert", [{"id": "", "vector": [1, 2]}], 422),
        ("upsert", [{"id": "a", "vector": [1, 2], "metadata": "text"}], 422),
        ("upsert", [{"id": "a", "vector": [1, 2]}] * 1001, 422),
        ("upsert", [], 422),
        ("upsert", ["a"], 400),
        ("upsert", [{"id": "a", "vector": [1, 2], "sparseVector": {}}], 501),
        ("query", {"vector": [1, 2], "topK": 1001}, 422),
        ("query", {"vector": [1, 2], "weightingStrategy": "IDF"}, 501),
        ("update", {"id": "a", "metadata": {}, "metadataUpdateMode": "PATCH"}, 501),
        ("range", {"cursor": "x", "limit": 1}, 422),
        ("fetch", {}, 422),
        ("fetch", {"ids": "a"}, 422),
        ("upsert-data", [{"id": "a", "data": "text"}], 501),
        ("resumable-query", {"vector": [1, 2]}, 501),
        ("_local/lag", {"minutes": 1}, 501),
    ],
)
def test_a_request_outside_the_protocol_is_refused(
    url: str, path: str, body: Any, status: int
) -> None:
    """What is malformed, beyond a limit or not emulated is refused with a reason."""
    response = httpx.post(f"{url}/{path}", json=body, headers=AUTHORISED)
    assert response.status_code == status
    assert response.json()["status"] == status
    assert response.json()["error"]


def test_another_token_is_let_in_nowhere(url: str) -> None:
    """A missing or wrong token is 401 in the vendor's words."""
    with pytest.raises(UpstashError, match="Unauthorized: Invalid auth token"):
        Index(url, "another", retries=0).info()
    for path in ["upsert", "_local/lag", "nothing"]:
        assert httpx.post(f"{url}/{path}", json={}).status_code == 401


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    """After kill -9 the index is as it was, and all of it is indexed."""
    for attempt in range(2):
        port = free_port()
        command = f"-m local.vector --port {port} --token {TOKEN} --dimension 2 --lag 60 --state"
        process = subprocess.Popen(
            [sys.executable, *command.split(), str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            env=os.environ | {"SOULCASTER_PARENT": "1"},
        )
        with process:
            try:
                index = Index(f"http://127.0.0.1:{port}", TOKEN, retries=0)
                wait_for(index)
                if attempt == 0:
                    index.upsert([("a", [1, 0], {"k": "ż"}, "data"), ("b", [0, 1])])
                    index.upsert([("a", [0, 1])], namespace="other")
                    index.delete("b")
                    assert index.query([1, 0]) == []
                else:
                    (item,) = index.query([1, 0], include_metadata=True, include_data=True)
                    assert (item.score, item.metadata, item.data) == (1, {"k": "ż"}, "data")
                    assert index.query([1, 0], namespace="other")[0].score == 0.5
            finally:
                process.kill()


def wait_for(index: Index) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            index.info()
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            return
