"""Imports, as people and scripts see them; tests/scenarios/test_import.py runs them."""

import json
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from local.serve import free_port
from soulcaster.edges.clock import now_ms
from soulcaster.edges.import_store import Done, ImportStore, Refused
from soulcaster.edges.redis import Redis
from soulcaster.rules import built_in
from soulcaster.rules.page import encode_cursor
from soulcaster.rules.project import Project
from soulcaster.rules.source import Source
from tests.api.conftest import client_with, forget
from tests.api.fixing import received
from tests.edges.servers import command
from tests.support import sources
from tests.support.people import give_key

WANTED = {"project": "larder", "format": "csv", "name": "tickets.csv"}


@pytest.fixture(autouse=True)
def _empty(larder: Project, sqs_url: str) -> None:
    received(sqs_url, "import")


@pytest.fixture
def made(api: TestClient) -> dict[str, Any]:
    """An import that waits for its file."""
    answer = api.post("/imports", json=WANTED)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def audited(url: str) -> list[tuple[str, str, str]]:
    """Who did what to what, in order."""
    entries = [
        command(url, "HMGET", f"p:larder:aud:{number}", "name", "what", "on")
        for number in command(url, "ZRANGE", "p:larder:audit", 0, -1)
    ]
    return [(name, what, on) for name, what, on in entries]


def test_an_import_begins_with_an_address(api: TestClient, made: dict[str, Any]) -> None:
    """Which takes the file for an hour, and nothing else of the bucket's."""
    assert made["id"].startswith("imp_larder_")
    assert (made["state"], made["format"], made["name"]) == ("waiting", "csv", "tickets.csv")
    assert (made["by"], made["rows"], made["bytes"]) == ("ada", 0, None)
    assert made["max_bytes"] == 50_000_000
    assert made["expires"] == made["created_at"] + 60 * 60 * 1000
    assert httpx.put(made["upload"], content=b"text\nIt is slow\n").status_code == 200
    other = made["upload"].replace(made["id"], f"{made['id']}0")
    assert httpx.put(other, content=b"x").status_code == 403
    shown = api.get(f"/imports/{made['id']}")
    assert shown.json() == {
        name: value
        for name, value in made.items()
        if name not in ("upload", "max_bytes", "expires")
    }


@pytest.mark.parametrize(
    "change",
    [{"format": "xlsx"}, {"name": ""}, {"name": "x" * 201}, {"project": "No Such"}, {"more": 1}],
)
def test_nonsense_makes_no_import(api: TestClient, change: dict[str, Any]) -> None:
    """422, and the list is empty."""
    assert api.post("/imports", json={**WANTED, **change}).status_code == 422
    assert api.get("/imports", params={"project": "larder"}).json()["total"] == 0


def test_starting_puts_it_on_the_queue(
    api: TestClient, sqs_url: str, redis_url: str, made: dict[str, Any]
) -> None:
    """To say it again sends the message again, in case it was lost, and changes nothing."""
    for _ in range(2):
        answer = api.post(f"/imports/{made['id']}/start")
        assert (answer.status_code, answer.json()["state"]) == (202, "queued")
        assert received(sqs_url, "import") == [{"import": made["id"], "turn": 0}]
    assert audited(redis_url) == [
        ("ada", "made import", made["id"]),
        ("ada", "started import", made["id"]),
    ]


def test_a_queue_that_is_down_starts_it_later(
    api: TestClient, sqs_url: str, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and asking again is enough."""
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{free_port()}")
        assert api.post(f"/imports/{made['id']}/start").status_code == 503
    forget()  # the queue was remembered
    assert api.post(f"/imports/{made['id']}/start").status_code == 202
    assert len(received(sqs_url, "import")) == 1


def test_cancelling_ends_it(
    api: TestClient, sqs_url: str, redis_url: str, made: dict[str, Any]
) -> None:
    """At once and for good; to say it again changes nothing."""
    for _ in range(2):
        answer = api.post(f"/imports/{made['id']}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    answer = api.post(f"/imports/{made['id']}/start")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "import: it has ended: cancelled"
    assert received(sqs_url, "import") == []
    assert [what for _, what, _ in audited(redis_url)] == ["made import", "cancelled import"]


def test_what_has_ended_can_not_be_cancelled(
    api: TestClient, redis: Redis, made: dict[str, Any]
) -> None:
    """409 with how it ended, and the reason stays to be read."""
    ImportStore(redis).fail(made["id"], "the file is empty", now_ms())
    assert api.post(f"/imports/{made['id']}/cancel").status_code == 409
    shown = api.get(f"/imports/{made['id']}").json()
    assert (shown["state"], shown["reason"]) == ("failed", "the file is empty")


def test_files_may_be_switched_off(
    api: TestClient, redis: Redis, sqs_url: str, made: dict[str, Any]
) -> None:
    """409 while the project's source of files is off."""
    known = built_in.source("larder", "file")
    off = Source(id=known.id, project="larder", kind="file", name="file", enabled=False)
    sources.put(redis, off)
    assert api.post(f"/imports/{made['id']}/start").status_code == 409
    assert received(sqs_url, "import") == []
    assert api.get(f"/imports/{made['id']}").json()["state"] == "waiting"


def test_imports_are_listed_newest_first(api: TestClient, redis: Redis) -> None:
    """By pages, each import once."""
    store, now = ImportStore(redis), now_ms()
    for number in range(5):
        assert store.add(f"imp_larder_{number}", "csv", "a.csv", "ada", now + number)
    seen: list[str] = []
    query: dict[str, str] | None = {"project": "larder", "limit": "2"}
    while query:
        page = api.get("/imports", params=query).json()
        assert page["total"] == 5
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        query = {**query, "cursor": cursor} if cursor else None
    assert seen == [f"imp_larder_{number}" for number in reversed(range(5))]


def test_refused_rows_are_reported_in_pages(
    api: TestClient, redis: Redis, made: dict[str, Any]
) -> None:
    """Each with line, reason and how it begins, in the file's order; and counted."""
    store, now = ImportStore(redis), now_ms()
    store.start(made["id"], now)
    refused = [Refused(line, f"reason {line}", "x" * 200) for line in range(2, 7)]
    coming = ["fb_larder_a", *("" for _ in refused)]
    step = store.step(made["id"], None, coming, size=90, etag='"e"', now=now)
    assert (step.outcome, step.rows) == ("go", 6)
    done = Done(0, 6, refused)
    for _ in range(2):  # the second time as if the answer had been lost
        assert store.step(made["id"], done, [], size=90, etag='"e"', now=now).outcome in (
            "done",
            "over",
        )
    shown = api.get(f"/imports/{made['id']}").json()
    assert (shown["state"], shown["bytes"]) == ("done", 90)
    assert [shown[name] for name in ("rows", "stored", "new", "refused")] == [6, 1, 1, 5]
    path, lines = f"/imports/{made['id']}/refused", []
    page = api.get(path, params={"limit": 2}).json()
    while True:
        assert page["total"] == 5
        lines += [(row["line"], row["reason"], len(row["text"])) for row in page["items"]]
        if not page["next_cursor"]:
            break
        page = api.get(path, params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert lines == [(line, f"reason {line}", 200) for line in range(2, 7)]
    forged = ("-1:rows", "1.5:rows", f"{10**18}:rows", f"{10**20 - 1}:rows")
    for cursor in ("nonsense", *map(encode_cursor, forged)):
        assert api.get(path, params={"cursor": cursor}).status_code == 400


@pytest.mark.parametrize("what", ["", "/refused", "/start", "/cancel"])
@pytest.mark.parametrize(
    "identifier", ["imp_larder_00", "imp_cellar_00", "job_larder_00", "imp_", "x"]
)
def test_what_is_not_there_is_404(api: TestClient, what: str, identifier: str) -> None:
    """An unknown id, another kind's, or none."""
    method = "POST" if what in ("/start", "/cancel") else "GET"
    answer = api.request(method, f"/imports/{identifier}{what}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "there is no such import"})


def test_others_imports_are_not_there(made: dict[str, Any], redis_url: str, sqs_url: str) -> None:
    """A key of another project sees and does nothing; one of this needs the scope."""
    other = client_with(give_key(redis_url, "cellar"))
    reader = client_with(give_key(redis_url, "larder", "read"))
    for what in ("start", "cancel"):
        assert other.post(f"/imports/{made['id']}/{what}").status_code == 404
        assert reader.post(f"/imports/{made['id']}/{what}").status_code == 403
    assert other.get(f"/imports/{made['id']}").status_code == 404
    assert other.post("/imports", json=WANTED).status_code == 404
    assert reader.post("/imports", json=WANTED).status_code == 403
    assert reader.get(f"/imports/{made['id']}").json()["state"] == "waiting"
    assert received(sqs_url, "import") == []
    assert len(json.loads(reader.get("/imports?project=larder").text)["items"]) == 1
