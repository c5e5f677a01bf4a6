"""What jobs cost: set aside before anything starts, and settled when it has ended."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.job_store import JobStore, Spent
from soulcaster.edges.redis import Redis
from soulcaster.rules.day import day_of
from soulcaster.rules.job import MICRO, State
from tests.edges import working
from tests.edges.servers import command, everything
from tests.edges.working import asked, brought, cluster_of, job_field
from tests.rules.samples import NOW

DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture
def jobs(redis: Redis) -> JobStore:
    """Jobs of a project that may spend two jobs' budgets of five dollars a day."""
    working.settings(redis, dollars_per_day=10.0, dollars_per_job=5.0, jobs_per_day=4)
    return JobStore(redis)


def day(url: str, now: int = NOW) -> tuple[int, int, int]:
    """Jobs, micro-dollars set aside and micro-dollars spent of a day."""
    fields = ("jobs", "reserved", "spent")
    found = command(url, "HMGET", f"p:larder:spend:{day_of(now)}", *fields)
    jobs, reserved, spent = (int(value or 0) for value in found)
    return jobs, reserved, spent


def cost(url: str, job: str) -> tuple[int, bool]:
    """What an ended job cost, and whether that is exact."""
    whole, exact = job_field(url, job, "cost"), job_field(url, job, "cost_exact")
    assert whole is not None
    return int(whole), exact == "1"


def test_a_job_sets_its_budget_aside(jobs: JobStore, redis_url: str) -> None:
    """Once: who asks again joins. The job keeps what it may cost, and how long it may take."""
    job = asked(jobs, cluster_of(redis_url, "larder"))
    assert jobs.ask(cluster_of(redis_url, "larder"), NOW, "x").outcome == "joined"
    assert day(redis_url) == (1, 5 * MICRO, 0)
    kept = [job_field(redis_url, job, name) for name in ("day", "budget", "minutes")]
    assert kept == [day_of(NOW), str(5 * MICRO), "30"]


def test_nothing_starts_above_the_days_dollars(jobs: JobStore, redis_url: str) -> None:
    """What is set aside counts as spent; what was not spent is free again; tomorrow is new."""
    first, _ = (asked(jobs, cluster_of(redis_url, "larder", n)) for n in range(2))
    third = cluster_of(redis_url, "larder", 3)
    before = everything(redis_url)
    assert jobs.ask(third, NOW, "x").outcome == "too_dear"
    assert everything(redis_url) == before
    brought(jobs, first, "running", granted="1")
    jobs.move(first, 1, "no_change", NOW, "x", {"exact": "1", "spent": "1"})
    assert jobs.ask(third, NOW, "x").outcome == "too_dear"
    assert jobs.ask(third, NOW + DAY_MS, "x").outcome == "created"
    assert day(redis_url, NOW + DAY_MS) == (1, 5 * MICRO, 0)
    assert day(redis_url) == (2, 5 * MICRO, 1)


def test_nothing_starts_above_the_days_jobs(jobs: JobStore, redis_url: str) -> None:
    """Also when they have cost nothing."""
    for n in range(4):
        jobs.move(asked(jobs, cluster_of(redis_url, "larder", n)), 1, "failed", NOW, "x")
    assert day(redis_url) == (4, 0, 0)
    assert jobs.ask(cluster_of(redis_url, "larder", 5), NOW, "x").outcome == "too_many"


def test_a_reported_cost_is_exact(jobs: JobStore, redis_url: str) -> None:
    """It takes the place of what was set aside, on the day on which it was."""
    job = brought(jobs, asked(jobs, cluster_of(redis_url, "larder")), "running", granted="900")
    said = {"spent": "700", "exact": "1"}
    jobs.move(job, 1, "no_change", NOW + DAY_MS, "x", said)
    assert cost(redis_url, job) == (700, True)
    assert day(redis_url) == (1, 0, 700)
    assert day(redis_url, NOW + DAY_MS) == (0, 0, 0)


@pytest.mark.parametrize(
    ("state", "fields", "expected"),
    [
        ("queued", {}, (0, True)),
        ("starting", {}, (0, True)),
        ("running", {"granted": "900"}, (900, False)),
        ("running", {"granted": "900", "spent": "700"}, (900, False)),
        ("publishing", {"granted": "900", "spent": "700", "exact": "0"}, (700, False)),
        ("publishing", {"granted": "900", "spent": "700", "exact": "1"}, (700, True)),
    ],
)
def test_what_was_not_reported_costs_what_was_allowed(
    jobs: JobStore, redis_url: str, state: State, fields: dict[str, str], expected: tuple[int, bool]
) -> None:
    """A job that ends without its task's word costs no less than it may have spent."""
    job = brought(jobs, asked(jobs, cluster_of(redis_url, "larder")), state, 1, **fields)
    jobs.move(job, 1, "failed", NOW, "x")
    assert cost(redis_url, job) == expected
    assert day(redis_url) == (1, 0, expected[0])


def test_a_lost_attempt_is_charged(jobs: JobStore, redis_url: str) -> None:
    """With all it was allowed; the cost of the whole job is no longer exact."""
    job = brought(jobs, asked(jobs, cluster_of(redis_url, "larder")), "running", granted="900")
    jobs.move(job, 1, "queued", NOW, "x")
    assert job_field(redis_url, job, "charged") == "900"
    brought(jobs, job, "running", attempt=2, granted="50")
    jobs.move(job, 2, "queued", NOW, "x")
    brought(jobs, job, "starting", attempt=3)
    assert day(redis_url) == (1, 5 * MICRO, 0)
    jobs.move(job, 3, "running", NOW, "x", {"granted": "10"})
    jobs.move(job, 3, "no_change", NOW, "x", {"spent": "7", "exact": "1"})
    assert cost(redis_url, job) == (957, False)


def test_no_grant_goes_beyond_what_is_left(jobs: JobStore, redis_url: str) -> None:
    """What earlier attempts were charged is gone; a grant never shrinks."""
    job = brought(
        jobs, asked(jobs, cluster_of(redis_url, "larder")), "running", granted=str(2 * MICRO)
    )
    jobs.move(job, 1, "queued", NOW, "x")
    brought(jobs, job, "running", attempt=2, granted="1000")
    grants = [jobs.beat(job, 2, NOW, wanted=wanted) for wanted in (0, 2000, 500, 9 * MICRO, 0)]
    assert grants == [(n, 0) for n in (1000, 2000, 2000, 3 * MICRO, 3 * MICRO)]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_day_adds_up(data: st.DataObject, redis: Redis, redis_url: str) -> None:
    """Whatever jobs do: what is set aside is the live ones' budgets, what is spent the ended ones'
    cost, neither beyond the day's dollars, and no job costs more than its budget.
    """
    command(redis_url, "FLUSHALL")
    working.settings(redis, dollars_per_day=12.0, dollars_per_job=5.0, jobs_at_once=9)
    jobs, made = JobStore(redis), list[str]()
    for step in data.draw(st.lists(st.sampled_from(["ask", "beat", "lose", "end"]), max_size=25)):
        if step == "ask":
            answer = jobs.ask(cluster_of(redis_url, "larder", len(made)), NOW, "x")
            made += [answer.id] if answer.outcome == "created" else []
        elif made:
            act(jobs, redis_url, data.draw(st.sampled_from(made)), step, data)
        costs = [int(job_field(redis_url, job, "cost") or -1) for job in made]
        live = [job for job in made if job_field(redis_url, job, "cost") is None]
        spent = sum(int(job_field(redis_url, job, "cost") or 0) for job in made)
        assert day(redis_url) == (len(made), 5 * MICRO * len(live), spent)
        assert 5 * MICRO * len(live) + spent <= 12 * MICRO
        assert max(costs, default=0) <= 5 * MICRO


def act(jobs: JobStore, url: str, job: str, step: str, data: st.DataObject) -> None:
    """What a task, its loss or its end does to a job, if it is live."""
    attempt = int(job_field(url, job, "attempt") or 0)
    left = 5 * MICRO - int(job_field(url, job, "charged") or 0)
    if job_field(url, job, "state") == "queued":
        brought(jobs, job, "running", attempt=attempt, granted=str(min(MICRO // 2, left)))
    if step == "beat":
        jobs.beat(job, attempt, NOW, wanted=data.draw(st.integers(0, 6 * MICRO)))
    elif step == "lose":
        jobs.move(job, attempt, "queued", NOW, "lost")
    else:
        granted = int(job_field(url, job, "granted") or 0)
        spent = Spent(data.draw(st.integers(0, granted)))
        jobs.move(job, attempt, "failed", NOW, "x", {"exact": "1", **spent.fields()})
