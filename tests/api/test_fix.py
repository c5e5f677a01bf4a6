from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.api.fixing import received
from tests.edges.clusters import clustered
from tests.rules.samples import NOW, feedback


@pytest.fixture
def cluster(redis: Redis, larder: Project) -> str:
    return clustered(redis, feedback(), name="Export")


@pytest.fixture(autouse=True)
def _empty(sqs_url: str) -> None:
    for queue in ("fix", "cluster"):
        received(sqs_url, queue)


def test_a_fix_is_asked_for_once(api: TestClient, sqs_url: str, cluster: str) -> None:
    """202 and one message; asking again joins the same job with 200 and sends nothing."""
    first = api.post(f"/clusters/{cluster}/fix")
    assert first.status_code == 202
    job = first.json()
    assert (job["state"], job["attempt"], job["joined"]) == ("queued", 1, False)
    assert received(sqs_url, "fix") == [{"job": job["id"], "attempt": 1}]
    for _ in range(2):
        again = api.post(f"/clusters/{cluster}/fix")
        assert (again.status_code, again.json()) == (200, {**job, "joined": True})
    assert received(sqs_url, "fix") == []
    assert api.get(f"/clusters/{cluster}").json()["live_job"] == job["id"]


def test_after_its_end_a_fix_can_be_asked_for_again(
    api: TestClient, redis: Redis, cluster: str
) -> None:
    """A new job is made, and both are shown with the cluster, the newest first."""
    first = api.post(f"/clusters/{cluster}/fix").json()["id"]
    JobStore(redis).move(first, 1, "failed", NOW, "x")
    second = api.post(f"/clusters/{cluster}/fix")
    assert second.status_code == 202
    jobs = api.get(f"/clusters/{cluster}").json()["jobs"]
    assert [job["id"] for job in jobs] == [second.json()["id"], first]


def test_without_a_repository_nothing_can_be_fixed(
    api: TestClient, redis: Redis, sqs_url: str, cluster: str
) -> None:
    """409 that names the setting, no job and no message."""
    ProjectStore(redis).put(Project(id="larder", name="Larder"), new=False)
    answer = api.post(f"/clusters/{cluster}/fix")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("repository: ")
    assert received(sqs_url, "fix") == []
    assert api.get("/jobs", params={"project": "larder"}).json()["total"] == 0


@pytest.mark.parametrize(
    "wanted", ["cl_larder_00", "cl_other_00", "fb_larder_00", "garbage", "%00"]
)
def test_what_is_not_there_is_not_fixed(
    api: TestClient, sqs_url: str, cluster: str, wanted: str
) -> None:
    """404 and no message, for what is not there and for what is no cluster."""
    assert api.post(f"/clusters/{wanted}/fix").status_code == 404
    assert received(sqs_url, "fix") == []


def test_a_queue_that_fails_loses_nothing(
    api: TestClient, redis: Redis, sqs_url: str, cluster: str
) -> None:
    """The job is there, so it is a 202: the reaper finds it overdue and sends its message."""
    fault = {"SendMessage": {"status": 503, "times": 2}}
    httpx.post(f"{sqs_url}/_local/faults", json=fault).raise_for_status()
    answer = api.post(f"/clusters/{cluster}/fix")
    assert answer.status_code == 202
    assert received(sqs_url, "fix") == []
    (overdue,), _ = JobStore(redis).due(10**15, 10)
    assert (overdue["id"], overdue["state"]) == (answer.json()["id"], "queued")


def test_clustering_can_be_asked_for(api: TestClient, sqs_url: str, larder: Project) -> None:
    """202 and a message that names the project, and asks for a look at all of it."""
    answer = api.post("/clusters/rebalance", json={"project": "larder"})
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert received(sqs_url, "cluster") == [{"project": "larder", "look": True}]
    assert api.post("/clusters/rebalance", json={"project": "nobody"}).status_code == 404
    assert received(sqs_url, "cluster") == []


@pytest.mark.parametrize("body", [{}, {"project": "A"}, {"project": "larder", "all": True}, []])
def test_a_malformed_request_asks_for_nothing(api: TestClient, sqs_url: str, body: Any) -> None:
    """422, and no message."""
    assert api.post("/clusters/rebalance", json=body).status_code == 422
    assert received(sqs_url, "cluster") == []
