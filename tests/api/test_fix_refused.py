"""Fixes that are not made as things are, and how to have them made all the same."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from routes import clusters
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.api.fixing import PULL, asked, ended, reach, received
from tests.api.planning import edited
from tests.edges.clusters import clustered
from tests.edges.servers import everything
from tests.rules.samples import feedback

EVENING = 1_800_000_000_000 // 86_400_000 * 86_400_000 + 23 * 60 * 60 * 1000  # 23:00 UTC


@pytest.fixture
def cluster(redis: Redis, larder: Project) -> str:
    return clustered(redis, feedback(), name="Export")


@pytest.fixture(autouse=True)
def _empty(sqs_url: str) -> None:
    received(sqs_url, "fix")


def limited(redis: Redis, **limits: Any) -> None:
    """Give the project other limits."""
    project = Project(id="larder", name="Larder", repository="acme/larder", **limits)
    assert ProjectStore(redis).put(project, new=False)


def fix(api: TestClient, cluster: str, **wanted: bool) -> Any:
    return api.post(f"/clusters/{cluster}/fix", json=wanted)


def refused(api: TestClient, cluster: str, start: str, **wanted: bool) -> str:
    """What a 409 says, which starts with the word at fault."""
    answer = fix(api, cluster, **wanted)
    assert answer.status_code == 409
    detail: str = answer.json()["detail"]
    assert detail.startswith(f"{start}: ")
    return detail


def test_an_open_pull_request_is_enough(
    api: TestClient, redis: Redis, sqs_url: str, cluster: str
) -> None:
    """409 with the job and the address, as long as it is open; `again` makes another job."""
    job = reach(redis, asked(redis, cluster), "pr_open")
    shown = api.get(f"/clusters/{cluster}").json()
    assert (shown["pull_job"], shown["live_job"]) == (job, None)
    said = refused(api, cluster, "again", without_plan=True)
    assert job in said
    assert PULL in said
    assert received(sqs_url, "fix") == []
    answer = fix(api, cluster, again=True)
    assert answer.status_code == 202
    shown = api.get(f"/clusters/{cluster}").json()
    assert (shown["pull_job"], shown["live_job"]) == (job, answer.json()["id"])


def test_a_plan_waits_for_its_approval(api: TestClient, redis: Redis, cluster: str) -> None:
    """409 until a version is approved; a job keeps the one that was when it was asked for."""
    assert api.get(f"/clusters/{cluster}").json()["plan"] is None
    for version in (1, 2):
        api.put(f"/clusters/{cluster}/plan", json=edited(version - 1, problem=f"No. {version}"))
    refused(api, cluster, "plan", again=True)
    api.post(f"/clusters/{cluster}/plans/2/approve")
    assert api.get(f"/clusters/{cluster}").json()["plan"] == 2
    job = fix(api, cluster).json()["id"]
    api.post(f"/clusters/{cluster}/plans/1/approve")
    assert api.get(f"/clusters/{cluster}").json()["plan"] == 1
    assert api.get(f"/jobs/{job}").json()["plan"] == 2


@pytest.mark.parametrize("approved", [False, True])
def test_a_plan_can_be_left_aside(api: TestClient, cluster: str, approved: bool) -> None:
    """`without_plan` makes a job that has none, whether or not a version is approved."""
    api.put(f"/clusters/{cluster}/plan", json=edited(0))
    if approved:
        api.post(f"/clusters/{cluster}/plans/1/approve")
    answer = fix(api, cluster, without_plan=True)
    assert answer.status_code == 202
    assert api.get(f"/jobs/{answer.json()['id']}").json()["plan"] is None


def test_a_project_can_insist_on_plans(api: TestClient, redis: Redis, cluster: str) -> None:
    """Nothing is fixed without an approved one there, whatever is asked for."""
    limited(redis, plan_required=True)
    refused(api, cluster, "plan")
    api.put(f"/clusters/{cluster}/plan", json=edited(0))
    refused(api, cluster, "plan")
    api.post(f"/clusters/{cluster}/plans/1/approve")
    refused(api, cluster, "plan", without_plan=True)
    assert fix(api, cluster).status_code == 202


def test_what_was_merged_is_fixed_where_it_is(api: TestClient, redis: Redis, cluster: str) -> None:
    """409 that names the cluster that it is in now."""
    other = clustered(redis, feedback(external_id="issue:2"), name="Import")
    merged = api.post(f"/clusters/{cluster}/merge", json={"clusters": [other]})
    assert merged.is_success
    assert cluster in refused(api, other, "cluster")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"again": "perhaps"}, "again"),
        ({"again": None}, "again"),
        ({"without_plan": []}, "without_plan"),
        ({"budget": 5}, "budget"),
    ],
)
def test_the_field_at_fault_is_named(
    api: TestClient, redis_server: str, cluster: str, body: dict[str, Any], field: str
) -> None:
    """422, and nothing has happened."""
    before = everything(redis_server)
    answer = api.post(f"/clusters/{cluster}/fix", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert everything(redis_server) == before


def test_the_days_jobs_are_counted(
    api: TestClient, redis: Redis, sqs_url: str, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """429 after the last of them, with the seconds until the next UTC day, when it is a 202."""
    now = EVENING
    monkeypatch.setattr(clusters, "now_ms", lambda: now)
    limited(redis, jobs_per_day=1)
    job = fix(api, cluster).json()["id"]
    assert fix(api, cluster).status_code == 200
    ended(redis, job)
    received(sqs_url, "fix")
    answer = fix(api, cluster)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
    assert answer.json()["detail"].startswith("jobs_per_day: ")
    assert received(sqs_url, "fix") == []
    assert api.get("/jobs", params={"project": "larder"}).json()["total"] == 1
    now += 3600 * 1000
    assert fix(api, cluster).status_code == 202


def test_the_days_dollars_are_set_aside(
    api: TestClient, redis: Redis, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """429 when a job's dollars don't fit beside those of live ones; what an ended one did not
    use is there again.
    """
    monkeypatch.setattr(clusters, "now_ms", lambda: EVENING)
    limited(redis, dollars_per_day=9, dollars_per_job=5)
    other = clustered(redis, feedback(external_id="issue:2"), name="Import")
    job = fix(api, cluster).json()["id"]
    assert api.get(f"/jobs/{job}").json()["cost"]["budget"] == 5.0
    answer = fix(api, other)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
    assert answer.json()["detail"].startswith("dollars_per_day: ")
    ended(redis, job)
    assert fix(api, other).status_code == 202


@pytest.mark.parametrize("limit", ["jobs_per_day", "dollars_per_day"])
def test_nothing_a_day_is_nothing(api: TestClient, redis: Redis, cluster: str, limit: str) -> None:
    """A project whose limit is 0 has no fixes, and says why and until when."""
    limited(redis, **{limit: 0})
    answer = fix(api, cluster)
    assert answer.status_code == 429
    assert answer.json()["detail"].startswith(f"{limit}: ")
    assert 1 <= int(answer.headers["retry-after"]) <= 86_400
    assert api.get(f"/clusters/{cluster}").json()["live_job"] is None


def test_of_what_is_gone_nothing_is_planned_or_fixed(api: TestClient, cluster: str) -> None:
    """A cluster whose last item was removed is a 409, before a model or an agent is asked."""
    assert api.delete(f"/feedback/{feedback().id}").status_code == 204
    for answer in (fix(api, cluster), api.post(f"/clusters/{cluster}/plan")):
        assert (answer.status_code, answer.json()) == (
            409,
            {"detail": "cluster: all that was reported in it is gone"},
        )
