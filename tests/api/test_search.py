import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from local import gemini, vector
from local.embedder import Embedder
from local.parameters import DIMENSIONS
from local.serve import running
from soulcaster import wiring
from soulcaster.edges import gemini as gemini_edge
from soulcaster.edges import vector as vector_edge
from soulcaster.edges.redis import Redis
from soulcaster.rules.feedback import Feedback
from tests.api.conftest import NOWHERE
from tests.conftest import MODEL
from tests.edges.clusters import clustered, stored
from tests.edges.servers import HANG, TOKEN, answer, everything, scripted
from tests.rules.samples import feedback

pytestmark = pytest.mark.usefixtures("larder")
GEMINI, VECTOR = "GOOGLE_GEMINI_BASE_URL", "UPSTASH_VECTOR_REST_URL"
TITLES = (
    "Exported spreadsheet is missing its final row",
    "Dark theme makes the shopping list unreadable",
    "A recipe for pancakes, please",
)
PARAPHRASE = "last line lost when saving as csv"


@pytest.fixture(scope="session")
def gemini_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of real sentence embeddings."""
    model = MODEL if MODEL.exists() else tmp_path_factory.mktemp("model")
    with running(gemini.app(Embedder(model), TOKEN)) as url:
        yield url


@pytest.fixture
def _meaning(gemini_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Gemini and the vector index answer; the index is empty."""
    with running(vector.app(tmp_path, TOKEN, DIMENSIONS)) as url:
        monkeypatch.setenv(GEMINI, gemini_url)
        monkeypatch.setenv(VECTOR, url)
        yield


def items(project: str = "larder") -> list[Feedback]:
    return [
        feedback(project=project, external_id=str(n), title=title, body="")
        for n, title in enumerate(TITLES)
    ]


def indexed(*given: Feedback) -> None:
    """As the clustering leaves them in the index."""
    vectors = wiring.gemini().embed([each.text for each in given])
    wiring.vectors().put(given[0].project, [each.id for each in given], vectors)


def search(api: TestClient, q: str, **query: Any) -> Any:
    reply = api.get("/search", params={"project": "larder", "q": q, **query})
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.mark.usefixtures("_meaning")
def test_a_paraphrase_is_found_by_meaning(api: TestClient, redis: Redis) -> None:
    """Without a word in common, the item that means the same comes first, with its cluster."""
    cluster = clustered(redis, *items(), name="Exports")
    indexed(*items())
    found = search(api, PARAPHRASE)
    assert (found["query"], found["meaning"]) == (PARAPHRASE, True)
    first = found["feedback"][0]
    assert (first["title"], first["words"], first["meaning_rank"]) == (TITLES[0], [], 1)
    assert first["cluster"] == cluster
    assert [each["id"] for each in found["clusters"]] == [cluster]
    assert found["clusters"][0]["words"] == []


@pytest.mark.usefixtures("_meaning")
def test_what_the_index_does_not_show_yet_is_found_by_words(api: TestClient, redis: Redis) -> None:
    """The index lags, and a search by meaning that finds nothing is one all the same."""
    stored(redis, *items())
    found = search(api, "spreadsheet")
    assert found["meaning"] is True
    assert [each["title"] for each in found["feedback"]] == [TITLES[0]]
    assert found["feedback"][0]["words"] == ["spreadsheet"]


@pytest.mark.usefixtures("_meaning")
@pytest.mark.parametrize("dead", [GEMINI, VECTOR])
def test_without_meaning_words_are_left(
    api: TestClient, redis: Redis, monkeypatch: pytest.MonkeyPatch, dead: str
) -> None:
    """With Gemini or the index down the answer is that of words alone, and says so."""
    stored(redis, *items())
    indexed(*items())
    monkeypatch.setenv(dead, NOWHERE)
    found = search(api, "spreadsheet theme")
    assert found["meaning"] is False
    assert {each["title"] for each in found["feedback"]} == set(TITLES[:2])
    assert {each["meaning_rank"] for each in found["feedback"]} == {None}
    assert search(api, PARAPHRASE)["feedback"] == []


@pytest.mark.usefixtures("_meaning")
@pytest.mark.parametrize("stalled", [GEMINI, VECTOR])
def test_nobody_waits_long(
    api: TestClient, redis: Redis, monkeypatch: pytest.MonkeyPatch, stalled: str
) -> None:
    """What does not answer in a short while is asked once, and not waited for."""
    monkeypatch.setattr(gemini_edge, "HURRIED_MILLISECONDS", 200)
    monkeypatch.setattr(vector_edge, "HURRIED_SECONDS", 0.2)
    if stalled == VECTOR:  # so that the only thing that can be late is the index
        monkeypatch.setattr(gemini_edge, "HURRIED_MILLISECONDS", 60_000)
    stored(redis, *items())
    with scripted([HANG], [HANG], [HANG]) as server:
        monkeypatch.setenv(stalled, server.url)
        found = search(api, "spreadsheet")
    assert found["meaning"] is False
    assert len(found["feedback"]) == 1
    assert len(server.requests) == 1


def test_a_hurried_call_takes_three_seconds_at_most() -> None:
    """That is the promise to whoever waits; clustering has more time."""
    assert gemini_edge.HURRIED_MILLISECONDS == vector_edge.HURRIED_SECONDS * 1_000 == 3_000
    for hurried, seconds in ((True, 3.0), (False, 20.0)):
        limits = wiring.vectors(hurried)._index._client.timeout.as_dict()
        assert set(limits.values()) == {seconds}


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_busy_model_is_not_asked_again(
    api: TestClient, redis: Redis, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """A search does not try again: words are there at once."""
    stored(redis, *items())
    busy = answer(b'{"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}', status)
    with scripted([busy, busy], [busy], [busy]) as server:
        monkeypatch.setenv(GEMINI, server.url)
        assert search(api, "spreadsheet")["meaning"] is False
    assert len(server.requests) == 1


@pytest.mark.usefixtures("_meaning")
def test_projects_do_not_meet(api: TestClient, redis: Redis) -> None:
    """Neither by words nor by meaning is anything of another project found."""
    api.post("/projects", json={"id": "other", "name": "Other"})
    stored(redis, *items("other"))
    indexed(*items("other"))
    for q in (PARAPHRASE, TITLES[0]):
        assert search(api, q) == {"query": q, "meaning": True, "feedback": [], "clusters": []}
        assert search(api, q, project="other")["feedback"][0]["title"] == TITLES[0]
    assert api.get("/search", params={"project": "nobody", "q": "row"}).status_code == 404


@pytest.mark.usefixtures("_meaning")
@pytest.mark.parametrize(
    "q",
    [
        *("*", "[", "(((", "%", "'\"`", "\\", "p:larder:fb:", "p:larder:lexicon", "🐛", "\u0301"),
        *(
            "'; FLUSHALL",
            "]] redis.call('FLUSHALL') --",
            "\x00row\x1b[2J",
            "\u202erow",
            "|",
            "row |",
        ),
        *("a" * 400, "x. " * 130, "漢" * 400, "\ufdfa" * 400, "</script><script>", "{{7*7}}", "�"),
    ],
)
def test_a_query_is_only_words(api: TestClient, redis: Redis, redis_server: str, q: str) -> None:
    """Whatever is asked is answered, and changes nothing."""
    stored(redis, *items())
    indexed(*items())
    before = everything(redis_server)
    found = search(api, q)
    assert len(found["feedback"]) == len(TITLES)  # all by their meaning
    assert everything(redis_server) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("q", value) for value in ("", " ", "\t\n", "\u200b\x00", "a" * 401)),
        *(("limit", value) for value in ("0", "51", "many", "")),
        *(("project", value) for value in ("", "A", "*", "a:b")),
        *(("source", value) for value in ("email", "", "*")),
        *(("status", value) for value in ("merged", "", "all")),
    ],
)
def test_the_field_at_fault_is_named(api: TestClient, field: str, value: str) -> None:
    """422 for a query that says nothing or too much, and for what can't be."""
    query = {"project": "larder", "q": "row", field: value}
    reply = api.get("/search", params=query)
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["query", field]
    assert api.get("/search", params={"project": "larder"}).status_code == 422


def test_filters_and_limit(api: TestClient, redis: Redis) -> None:
    """A kind of source, a cluster's status and a number narrow the answer."""
    stored(redis, *items(), feedback(source="sentry", external_id="9", title="Final row"))
    titles = [each["title"] for each in search(api, "row recipe", source="sentry")["feedback"]]
    assert titles == ["Final row"]
    assert len(search(api, "row recipe", limit=2)["feedback"]) == 2
    assert search(api, "row recipe", status="open")["feedback"] == []


def test_nothing_of_it_is_imported_at_the_start() -> None:
    """Other requests don't pay for the clients that only a search needs."""
    wanted = ("google.genai", "numpy", "upstash_vector")
    code = f"import app, sys; sys.exit(any(name in sys.modules for name in {wanted}))"
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code], check=True, env=path, timeout=60)
