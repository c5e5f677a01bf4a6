"""``POST /feedback``: what a person types, and what a script reports."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from local.serve import free_port
from soulcaster.edges.clock import now_ms
from soulcaster.edges.redis import Redis
from soulcaster.rules import built_in, delivery
from soulcaster.rules.day import day_of
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.filters import Filters
from soulcaster.rules.project import Project
from soulcaster.rules.source import Source
from tests.api.conftest import client_with
from tests.api.fixing import received
from tests.edges.servers import command
from tests.support import sources
from tests.support.people import ADA, give_key

ITEM = {"project": "larder", "title": "No undo", "text": "I deleted everything."}


@pytest.fixture(autouse=True)
def _empty(larder: Project, sqs_url: str) -> None:
    received(sqs_url, "feedback")


@pytest.fixture
def script(redis_url: str, larder: Project) -> TestClient:
    """A client with a key that may report, and nothing else."""
    return client_with(give_key(redis_url, "larder", "ingest"))


def queued(sqs_url: str) -> list[Feedback]:
    """What is on the feedback queue, as the store will read it."""
    found = []
    for message in received(sqs_url, "feedback"):
        arrived = Delivery.from_message(json.dumps(message))
        assert arrived.source is not None
        read = delivery.read(arrived, arrived.source)
        assert not isinstance(read, str)
        found += [item for item in read if isinstance(item, Feedback)]
    return found


def changed(redis: Redis, kind: str, **fields: Any) -> None:
    """Have the project's built-in source of a kind differ from what it is at first."""
    known = built_in.source("larder", kind)
    given = {"id": known.id, "project": "larder", "kind": kind, "name": known.name}
    sources.put(redis, Source(**{**given, **fields}))


def counted(url: str, source: str) -> tuple[str | None, str | None]:
    """How many items were refused: of the day, and by the source."""
    return (
        command(url, "HGET", f"p:larder:intake:{day_of(now_ms())}", "refused"),
        command(url, "HGET", f"p:larder:source:{source}", "refused"),
    )


def test_a_person_reports_by_the_form(api: TestClient, sqs_url: str) -> None:
    """202 with the id that it will have; who types it is its author unless another is named, and
    is said to have sent it either way.
    """
    answer = api.post("/feedback", json=ITEM)
    assert answer.status_code == 202
    (item,) = queued(sqs_url)
    assert answer.json() == {"id": item.id, "status": "accepted", "reason": ""}
    assert (item.source, item.source_id, item.author) == ("form", "src_larder_form", "ada")
    assert (item.title, item.body) == ("No undo", "I deleted everything.")
    assert api.post("/feedback", json={**ITEM, "author": "a customer"}).status_code == 202
    (other,) = queued(sqs_url)
    assert other.author == "a customer"
    assert item.details == other.details == {"sent_by": ADA.id}
    assert other.id != item.id


def test_a_script_reports_by_the_api(script: TestClient, sqs_url: str) -> None:
    """With every field there is; nobody is its author unless one is named."""
    more = {
        "id": "ticket-7",
        "url": "https://desk.example/7",
        "severity": "error",
        "source": "hotline",
        "created_at": "2024-12-31T08:00:00Z",
        "updated_at": 1735639200,
        "occurrences": 3,
        "resolved": False,
    }
    answer = script.post("/feedback", json={**ITEM, **more})
    assert answer.status_code == 202
    (item,) = queued(sqs_url)
    assert answer.json()["id"] == item.id
    assert (item.source, item.source_id, item.author) == ("api", "src_larder_api", None)
    assert (item.external_id, item.channel, item.severity) == ("ticket-7", "hotline", "error")
    assert (item.created_at, item.version) == (1735632000000, 1735639200000)
    assert str(item.details["sent_by"]).startswith("key_larder_")


def test_a_retry_with_an_id_is_the_same_item(script: TestClient, sqs_url: str) -> None:
    """Whoever got no answer sends it again; without an id each is an item of its own."""
    answers = [script.post("/feedback", json={**ITEM, "id": "7"}).json()["id"] for _ in range(2)]
    assert answers[0] == answers[1]
    assert len({item.id for item in queued(sqs_url)}) == 1
    answers = [script.post("/feedback", json=ITEM).json()["id"] for _ in range(2)]
    assert answers[0] != answers[1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None, "text": None}, "title or text"),
        ({"title": "", "text": " \n"}, "title or text"),
        ({"title": "x" * 301}, "title"),
        ({"text": "x" * 60_001}, "text"),
        ({"text": 5}, "text"),
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "http://a.example/ b"}, "url"),
        ({"severity": "bad"}, "severity"),
        ({"created_at": "soon"}, "created_at"),
        ({"created_at": True}, "created_at"),
        ({"updated_at": -1}, "updated_at"),
        ({"occurrences": 0}, "occurrences"),
        ({"occurrences": 1.5}, "occurrences"),
        ({"resolved": "yes"}, "resolved"),
        ({"project": "No Such"}, "project"),
        ({"more": 1}, "more"),
    ],
)
def test_nonsense_is_named(
    script: TestClient, sqs_url: str, change: dict[str, Any], field: str
) -> None:
    """422 that names the field, and nothing is queued."""
    answer = script.post("/feedback", json={**ITEM, **change})
    assert answer.status_code == 422
    assert field in [problem["loc"][1] for problem in answer.json()["detail"]]
    assert queued(sqs_url) == []


def test_another_project_is_not_there(
    script: TestClient, api: TestClient, redis_url: str, sqs_url: str
) -> None:
    """404 for a key of another project, and for an owner where there is none."""
    for client in (script, api):
        assert client.post("/feedback", json={**ITEM, "project": "cellar"}).status_code == 404
    reader = client_with(give_key(redis_url, "larder", "read", "triage", "fix", "admin"))
    assert reader.post("/feedback", json=ITEM).status_code == 403
    assert queued(sqs_url) == []


def test_a_source_that_is_off_takes_nothing(
    script: TestClient, api: TestClient, redis: Redis, redis_url: str, sqs_url: str
) -> None:
    """409, not counted as over a quota; the other door is open."""
    changed(redis, "api", enabled=False)
    command(redis_url, "HSET", f"p:larder:intake:{day_of(now_ms())}", "items", 10**6)
    assert script.post("/feedback", json=ITEM).status_code == 409
    assert counted(redis_url, "src_larder_api") == (None, None)
    command(redis_url, "DEL", f"p:larder:intake:{day_of(now_ms())}")
    assert api.post("/feedback", json=ITEM).status_code == 202
    assert [item.source for item in queued(sqs_url)] == ["form"]


def test_filters_leave_out_what_is_not_wanted(
    script: TestClient, redis: Redis, sqs_url: str
) -> None:
    """200 with the reason, as a webhook is answered."""
    changed(redis, "api", filters=Filters(exclude=("undo",)))
    answer = script.post("/feedback", json=ITEM)
    assert answer.status_code == 200
    reason = "it has a word that this source leaves out"
    assert answer.json() == {"id": None, "status": "ignored", "reason": reason}
    assert queued(sqs_url) == []
    assert script.post("/feedback", json={**ITEM, "title": "No redo"}).status_code == 202


def test_over_a_quota_is_429_and_counted(
    script: TestClient, redis: Redis, redis_url: str, sqs_url: str
) -> None:
    """With when to come again; nothing is queued, and there is room as soon as there is."""
    today = f"p:larder:intake:{day_of(now_ms())}"
    small = Project(id="larder", name="Larder", items_per_day=3, pending_items=2)
    command(redis_url, "SET", "p:larder:project", small.to_json())
    command(redis_url, "HSET", today, "items", 3)
    answer = script.post("/feedback", json=ITEM)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 24 * 60 * 60
    assert answer.json()["detail"] == "the project's quota of 3 new items a day is used up"
    assert counted(redis_url, "src_larder_api") == ("1", "1")
    command(redis_url, "HSET", today, "items", 2)
    command(redis_url, "ZADD", "p:larder:pending", 1, "fb_larder_a", 1, "fb_larder_b")
    answer = script.post("/feedback", json=ITEM)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert counted(redis_url, "src_larder_api") == ("2", "2")
    assert 0 < command(redis_url, "TTL", today) <= 40 * 24 * 60 * 60
    assert queued(sqs_url) == []
    command(redis_url, "ZREM", "p:larder:pending", "fb_larder_a")
    assert script.post("/feedback", json=ITEM).status_code == 202


def test_the_queue_down_is_a_503(script: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told that something was accepted when it was not."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{free_port()}")
    answer = script.post("/feedback", json=ITEM)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
