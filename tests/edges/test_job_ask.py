"""What asking for a fix is answered."""

import pytest

from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.job_store import Asked, JobStore
from soulcaster.edges.plan_store import PlanStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.correction import Decision
from soulcaster.rules.plan import Plan
from soulcaster.rules.project import Project
from tests.edges import working
from tests.edges.clusters import clustered
from tests.edges.servers import everything
from tests.edges.working import asked, brought, job_field
from tests.rules.samples import NOW, feedback

PLAN = Plan("Export loses a row.", "1. Export.", ("larder/export.py",), "Count rows.")
PULL = {"pr_url": "https://github.example/acme/larder/pull/7", "pr_number": "7"}


@pytest.fixture
def jobs(redis: Redis) -> JobStore:
    """Jobs of a project."""
    working.settings(redis)
    return JobStore(redis)


@pytest.fixture
def cluster(redis: Redis, jobs: JobStore) -> str:
    """A cluster of one item."""
    return clustered(redis, feedback())


def refused(jobs: JobStore, url: str, cluster: str) -> Asked:
    """Ask for what makes no job and changes nothing."""
    before = everything(url)
    answer = jobs.ask(cluster, NOW, "x")
    assert everything(url) == before
    return answer


def approved(redis: Redis, cluster: str, version: int) -> None:
    """Write and approve so many versions of a plan; only the last is approved."""
    plans = PlanStore(redis)
    for number in range(version):
        plan = Plan(f"{PLAN.problem} {number}", PLAN.reproduction, PLAN.files, PLAN.verification)
        plans.add(cluster, plan, "ada", NOW, number)
    plans.approve(cluster, version, "ada", NOW)


def test_what_is_not_there_is_not_fixed(jobs: JobStore, redis_url: str) -> None:
    """No job is made for a cluster that does not exist, in whatever form it is named."""
    for cluster in ("cl_larder_none", "cl_other_none", "garbage", ""):
        assert refused(jobs, redis_url, cluster).outcome == "missing"


def test_a_project_without_repository_has_no_fixes(
    jobs: JobStore, redis: Redis, redis_url: str, cluster: str
) -> None:
    """There would be nowhere for a fix to go, so no job is made."""
    ProjectStore(redis).put(Project(id="larder", name="Larder"), new=False)
    assert refused(jobs, redis_url, cluster).outcome == "no_repository"


def test_asking_again_joins_the_live_job(jobs: JobStore, redis_url: str, cluster: str) -> None:
    """While a job is live there is one for a cluster; after its end a new one is made."""
    job = brought(jobs, asked(jobs, cluster), "running")
    assert refused(jobs, redis_url, cluster) == Asked("joined", job, "running", 1)
    assert jobs.ask(cluster, NOW, "x", again=True, without_plan=True).outcome == "joined"
    jobs.move(job, 1, "no_change", NOW, "nothing to do")
    assert asked(jobs, cluster) != job


def test_where_its_items_went_is_said(jobs: JobStore, redis: Redis, cluster: str) -> None:
    """A cluster that was merged names the one that it is in."""
    gone = clustered(redis, feedback(external_id="gone"))
    CorrectionStore(redis).merge("larder", cluster, [gone], Decision("test", "", NOW))
    answer = jobs.ask(gone, NOW, "x")
    assert (answer.outcome, answer.id) == ("merged", cluster)


def test_what_is_gone_is_not_fixed(
    jobs: JobStore, redis: Redis, redis_url: str, cluster: str
) -> None:
    """When a cluster's last item was withdrawn there is nothing that an agent could be told."""
    assert FeedbackStore(redis).delete("larder", feedback().id, NOW)
    assert refused(jobs, redis_url, cluster).outcome == "empty"


def test_an_open_pull_request_is_enough(jobs: JobStore, redis_url: str, cluster: str) -> None:
    """Its job and address are said; who asks again on purpose gets another job."""
    job = brought(jobs, asked(jobs, cluster), "publishing")
    jobs.move(job, 1, "pr_open", NOW, "x", {**PULL, "pr_state": "open"})
    assert refused(jobs, redis_url, cluster) == Asked("has_pull", job, PULL["pr_url"], 0)
    again = jobs.ask(cluster, NOW, "x", again=True)
    assert (again.outcome, again.said) == ("created", "queued")
    assert again.id != job


def test_a_job_is_for_what_was_set_then(jobs: JobStore, redis: Redis, cluster: str) -> None:
    """Repository and base of the moment are the job's, whatever is set later."""
    job = asked(jobs, cluster)
    ProjectStore(redis).put(Project(id="larder", name="x", repository="a/b", base="c"), new=False)
    brief = jobs.brief(job, 1)
    assert brief is not None
    assert (brief.job["repository"], brief.job["base"]) == ("acme/larder", "main")
    assert brief.job["asked_by"] == "a person"


def test_a_project_may_insist_on_a_plan(
    jobs: JobStore, redis: Redis, redis_url: str, cluster: str
) -> None:
    """Then nobody can do without an approved one."""
    working.settings(redis, plan_required=True)
    assert refused(jobs, redis_url, cluster).outcome == "plan_required"
    PlanStore(redis).add(cluster, PLAN, "ada", NOW, 0)
    assert refused(jobs, redis_url, cluster).outcome == "plan_required"
    assert jobs.ask(cluster, NOW, "x", without_plan=True).outcome == "plan_required"
    PlanStore(redis).approve(cluster, 1, "ada", NOW)
    assert jobs.ask(cluster, NOW, "x").outcome == "created"


def test_a_plan_that_nobody_approved_is_not_passed_over(
    jobs: JobStore, redis: Redis, redis_url: str, cluster: str
) -> None:
    """Unless the person who asks says so; then the job has none."""
    PlanStore(redis).add(cluster, PLAN, "ada", NOW, 0)
    assert refused(jobs, redis_url, cluster).outcome == "plan_not_approved"
    answer = jobs.ask(cluster, NOW, "x", without_plan=True)
    assert answer.outcome == "created"
    assert job_field(redis_url, answer.id, "plan") == ""


def test_a_job_runs_on_the_approved_version(
    jobs: JobStore, redis: Redis, redis_url: str, cluster: str
) -> None:
    """That of the moment it was asked for, also when another is approved later."""
    approved(redis, cluster, 2)
    job = asked(jobs, cluster)
    later = Plan("Another problem.", PLAN.reproduction, PLAN.files, PLAN.verification)
    PlanStore(redis).add(cluster, later, "ada", NOW, 2)
    PlanStore(redis).approve(cluster, 3, "ada", NOW)
    assert job_field(redis_url, job, "plan") == "2"
    brief = jobs.brief(job, 1)
    assert brief is not None
    assert f"{PLAN.problem} 1" in brief.plan


def test_a_person_may_do_without_the_plan(
    jobs: JobStore, redis: Redis, redis_url: str, cluster: str
) -> None:
    """An approved one is then left aside."""
    approved(redis, cluster, 1)
    job = jobs.ask(cluster, NOW, "x", without_plan=True).id
    assert job_field(redis_url, job, "plan") == ""
    brief = jobs.brief(job, 1)
    assert brief is not None
    assert brief.plan == ""
