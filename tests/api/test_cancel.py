"""A person cancels a job."""

import httpx
import pytest
from starlette.testclient import TestClient

from soulcaster.edges.clock import now_ms
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.job import State
from soulcaster.rules.project import Project
from tests.api.fixing import asked, ended, reach, received
from tests.api.test_following import FOREIGN
from tests.edges.clusters import clustered
from tests.edges.servers import everything
from tests.rules.samples import feedback


@pytest.fixture
def cluster(redis: Redis, larder: Project) -> str:
    return clustered(redis, feedback(), name="Export")


@pytest.fixture
def job(redis: Redis, cluster: str) -> str:
    return asked(redis, cluster)


@pytest.fixture(autouse=True)
def _empty(sqs_url: str) -> None:
    received(sqs_url, "fix")


@pytest.mark.parametrize("state", ["queued", "starting", "running", "proving", "publishing"])
def test_a_live_job_ends_at_once(
    api: TestClient, redis: Redis, redis_server: str, sqs_url: str, job: str, state: State
) -> None:
    """200 with the job, which says who did it; the dispatcher is told. Again: 200, and nothing
    happens.
    """
    reach(redis, job, state)
    answer = api.post(f"/jobs/{job}/cancel")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["state"], shown["cause"]) == ("cancelled", "person")
    assert shown["reason"] == "cancelled by ada"
    assert shown["history"][-1]["state"] == "cancelled"
    assert api.get(f"/jobs/{job}").json() == shown
    assert api.get(f"/clusters/{shown['cluster']}").json()["live_job"] is None
    assert received(sqs_url, "fix") == [{"job": job, "attempt": 1}]
    before = everything(redis_server)
    again = api.post(f"/jobs/{job}/cancel")
    assert (again.status_code, again.json()) == (200, shown)
    assert everything(redis_server) == before
    assert received(sqs_url, "fix") == []


def test_its_task_is_no_longer_wanted(api: TestClient, redis: Redis, job: str) -> None:
    """What a task says after that changes nothing."""
    reach(redis, job, "running")
    shown = api.post(f"/jobs/{job}/cancel").json()
    assert JobStore(redis).beat(job, 1, now_ms()) is None
    assert JobStore(redis).move(job, 1, "proving", now_ms(), "late").outcome == "refused"
    assert api.get(f"/jobs/{job}").json() == shown


def test_its_slot_goes_to_who_waits(
    api: TestClient, redis: Redis, sqs_url: str, cluster: str, job: str
) -> None:
    """The job that waits for a slot has its message sent, beside the one that stops the task."""
    others = [clustered(redis, feedback(external_id=f"issue:{n}")) for n in (2, 3)]
    second, third = (asked(redis, other) for other in others)
    reach(redis, job, "running")
    reach(redis, second, "running")
    moved = JobStore(redis).move(third, 1, "starting", now_ms(), "test")
    assert moved.outcome == "waiting"
    assert api.post(f"/jobs/{job}/cancel").status_code == 200
    messages = received(sqs_url, "fix")
    assert sorted(each["job"] for each in messages) == sorted([job, third])


def test_after_that_a_fix_can_be_asked_for(api: TestClient, cluster: str, job: str) -> None:
    """A new job is made."""
    api.post(f"/jobs/{job}/cancel")
    answer = api.post(f"/clusters/{cluster}/fix")
    assert answer.status_code == 202
    assert answer.json()["id"] != job


@pytest.mark.parametrize("state", ["failed", "pr_open"])
def test_what_has_ended_is_not_cancelled(
    api: TestClient, redis: Redis, redis_server: str, sqs_url: str, job: str, state: State
) -> None:
    """409 that says how it ended, and it stays so."""
    if state == "failed":
        ended(redis, job)
    else:
        reach(redis, job, state)
    before = everything(redis_server)
    answer = api.post(f"/jobs/{job}/cancel")
    assert (answer.status_code, answer.json()["detail"]) == (409, f"job: it has ended: {state}")
    assert everything(redis_server) == before
    assert received(sqs_url, "fix") == []


def test_a_pull_request_that_is_being_opened_is_opened(
    api: TestClient, redis: Redis, sqs_url: str, job: str
) -> None:
    """409 from the moment the publisher writes to GitHub; the job goes on."""
    reach(redis, job, "publishing")
    assert JobStore(redis).touch(job, 1, ("publishing",), fields={"opening": "1"})
    answer = api.post(f"/jobs/{job}/cancel")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "job: its pull request is being opened"
    assert api.get(f"/jobs/{job}").json()["state"] == "publishing"
    assert received(sqs_url, "fix") == []


def test_a_queue_that_fails_cancels_all_the_same(
    api: TestClient, redis: Redis, sqs_url: str, job: str
) -> None:
    """200: the task learns of it by its next heartbeat."""
    reach(redis, job, "running")
    fault = {"SendMessage": {"status": 503, "times": 2}}
    httpx.post(f"{sqs_url}/_local/faults", json=fault).raise_for_status()
    answer = api.post(f"/jobs/{job}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert JobStore(redis).beat(job, 1, now_ms()) is None


@pytest.mark.parametrize("wanted", FOREIGN)
def test_what_is_not_there_is_not_cancelled(
    api: TestClient, redis_server: str, sqs_url: str, job: str, wanted: str
) -> None:
    """404, no message, and nothing has happened."""
    before = everything(redis_server)
    assert api.post(f"/jobs/{wanted}/cancel").status_code == 404
    assert everything(redis_server) == before
    assert received(sqs_url, "fix") == []
