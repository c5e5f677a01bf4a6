"""Which jobs run at once: never more than there are slots, and the one that waits is called."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.job_store import JobStore, Moved
from soulcaster.edges.redis import Redis
from soulcaster.rules.job import HOLDS_SLOT, PATIENCE, WAITING_MS, State
from tests.edges import working
from tests.edges.servers import command
from tests.edges.working import asked, brought, cluster_of, held, job_field
from tests.rules.samples import NOW

PROJECTS = ("larder", "pantry", "cellar")


def of(redis: Redis, url: str, project: str, number: int, *, at_once: int = 2) -> list[str]:
    """So many queued jobs of a project, in the order in which they were asked for."""
    limits = {"jobs_at_once": at_once, "jobs_per_day": 1_000, "dollars_per_day": 5_000.0}
    working.settings(redis, project, **limits)
    jobs = JobStore(redis)
    return [asked(jobs, cluster_of(url, project, n), NOW + n) for n in range(number)]


def start(jobs: JobStore, job: str) -> str:
    """Try to start a job; returns the outcome."""
    return jobs.move(job, 1, "starting", NOW, "x").outcome


def test_a_project_has_its_limit(redis: Redis, redis_url: str) -> None:
    """What finds no slot stays queued as it was, changes no counter, and waits in line once."""
    jobs, made = JobStore(redis), of(redis, redis_url, "larder", 4)
    assert [start(jobs, job) for job in made] == ["moved", "moved", "waiting", "waiting"]
    moved = jobs.move(made[2], 1, "starting", NOW, "x")
    assert moved == Moved("waiting", "queued", 1)
    assert held(redis_url) == set(made[:2])
    assert command(redis_url, "ZRANGE", "p:larder:waiting", 0, -1) == made[2:]
    assert [job_field(redis_url, job, "state") for job in made[2:]] == ["queued"] * 2
    assert command(redis_url, "HGET", "p:larder:counts", "job:queued") == "2"


def test_the_installation_has_its_limit(redis: Redis, redis_url: str) -> None:
    """Whatever its projects' limits are."""
    jobs = JobStore(redis, 3)
    made = [job for each in PROJECTS for job in of(redis, redis_url, each, 2)]
    outcomes = [start(jobs, job) for job in made]
    assert outcomes == ["moved"] * 3 + ["waiting"] * 3
    assert command(redis_url, "SCARD", "sys:slots") == 3


def test_a_project_that_says_nothing_has_the_default(redis: Redis, redis_url: str) -> None:
    """One that was stored before there was a limit."""
    jobs, made = JobStore(redis), of(redis, redis_url, "larder", 3)
    command(redis_url, "SET", "p:larder:project", '{"repository": "acme/larder"}')
    assert [start(jobs, job) for job in made] == ["moved", "moved", "waiting"]


@pytest.mark.parametrize("to", ["queued", "no_change", "failed", "cancelled", "publishing"])
def test_a_slot_that_is_left_calls_the_next(redis: Redis, redis_url: str, to: State) -> None:
    """By an end, by another attempt or by a patch in hand: the one that has waited longest."""
    jobs, made = JobStore(redis), of(redis, redis_url, "larder", 4)
    brought(jobs, made[0], "proving" if to == "publishing" else "running")
    brought(jobs, made[1], "running")
    assert [start(jobs, job) for job in (made[3], made[2])] == ["waiting"] * 2
    moved = jobs.move(made[0], 1, to, NOW, "x")
    assert (moved.outcome, moved.next) == ("moved", (made[2], 1))
    assert held(redis_url) == {made[1]}
    assert start(jobs, made[2]) == "moved"
    assert jobs.move(made[1], 1, "failed", NOW, "x").next == (made[3], 1)


def test_a_step_within_a_slot_calls_nobody(redis: Redis, redis_url: str) -> None:
    """From starting to running to proving the slot is the same one."""
    jobs, made = JobStore(redis), of(redis, redis_url, "larder", 2, at_once=1)
    start(jobs, made[0])
    start(jobs, made[1])
    steps: tuple[State, ...] = ("running", "proving")
    for step in steps:
        assert jobs.move(made[0], 1, step, NOW, "x").next is None
    assert held(redis_url) == {made[0]}


def test_a_full_project_holds_nobody_up(redis: Redis, redis_url: str) -> None:
    """The slot goes to the first in line whose project has room."""
    jobs = JobStore(redis, 2)
    larder = of(redis, redis_url, "larder", 3, at_once=1)
    pantry = of(redis, redis_url, "pantry", 2, at_once=2)
    assert [start(jobs, job) for job in (larder[0], pantry[0])] == ["moved"] * 2
    assert [start(jobs, job) for job in (*larder[1:], pantry[1])] == ["waiting"] * 3
    assert jobs.move(pantry[0], 1, "failed", NOW, "x").next == (pantry[1], 1)
    assert jobs.move(larder[0], 1, "failed", NOW, "x").next == (larder[1], 1)


def test_one_that_is_called_and_lost_is_found(redis: Redis, redis_url: str) -> None:
    """Its message may be lost: the reaper looks at it after a queued job's patience."""
    jobs, made = JobStore(redis), of(redis, redis_url, "larder", 2, at_once=1)
    start(jobs, made[0])
    start(jobs, made[1])
    assert jobs.due(NOW + PATIENCE["starting"] - 1, 9) == ([], [])
    later = NOW + WAITING_MS // 2
    assert jobs.move(made[0], 1, "failed", later, "x").next == (made[1], 1)
    assert jobs.due(later + PATIENCE["queued"] - 1, 9) == ([], [])
    overdue, told = jobs.due(later + PATIENCE["queued"], 9)
    assert ([each["id"] for each in overdue], told) == ([made[1]], [])


def test_who_waits_though_there_is_a_slot_is_told(redis: Redis, redis_url: str) -> None:
    """The limit was raised, or who left called nobody: the reaper does, once, as many as fit."""
    jobs, made = JobStore(redis), of(redis, redis_url, "larder", 4, at_once=1)
    assert [start(jobs, job) for job in made] == ["moved"] + ["waiting"] * 3
    assert jobs.due(NOW, 9) == ([], [])
    of(redis, redis_url, "larder", 0, at_once=9)
    assert JobStore(redis, 3).due(NOW, 9) == ([], [(made[1], 1), (made[2], 1)])
    assert [start(jobs, job) for job in made[1:3]] == ["moved"] * 2
    assert JobStore(redis, 3).due(NOW, 9) == ([], [])


def test_who_waits_is_not_overdue_for_an_hour(redis: Redis, redis_url: str) -> None:
    """Its message is not sent again every few minutes."""
    full, (job,) = JobStore(redis, 0), of(redis, redis_url, "larder", 1)
    assert start(full, job) == "waiting"
    assert full.due(NOW + WAITING_MS - 1, 9) == ([], [])
    assert [each["id"] for each in full.due(NOW + WAITING_MS, 9)[0]] == [job]


def test_who_is_cancelled_leaves_the_line(redis: Redis, redis_url: str) -> None:
    """Nobody calls a job that has ended."""
    jobs, made = JobStore(redis), of(redis, redis_url, "larder", 3, at_once=1)
    for job in made:
        start(jobs, job)
    assert jobs.move(made[1], "*", "cancelled", NOW, "x").next is None
    assert jobs.move(made[0], 1, "failed", NOW, "x").next == (made[2], 1)
    jobs.move(made[2], 1, "failed", NOW, "x")
    assert command(redis_url, "EXISTS", "sys:waiting", "p:larder:waiting", "sys:slots") == 0


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_slots_hold_whatever_happens(data: st.DataObject, redis: Redis, redis_url: str) -> None:
    """Any steps of any jobs: the limits hold, a slot is had exactly by who is in a state that has
    one, and whoever waits is queued; after the reaper's look nobody waits for a free slot.
    """
    command(redis_url, "FLUSHALL")
    jobs = JobStore(redis, 3)
    made = [job for each in PROJECTS for job in of(redis, redis_url, each, 3)]
    steps: st.SearchStrategy[State] = st.sampled_from(
        ["starting", "starting", "running", "queued", "cancelled", "failed"]
    )
    for job, to in data.draw(st.lists(st.tuples(st.sampled_from(made), steps), max_size=40)):
        jobs.move(job, "*", to, NOW, "x")
        states = {each: job_field(redis_url, each, "state") for each in made}
        holding = {each for each, state in states.items() if state in HOLDS_SLOT}
        assert set(command(redis_url, "SMEMBERS", "sys:slots")) == holding
        assert len(holding) <= 3
        for project in PROJECTS:
            mine = held(redis_url, project)
            assert mine == {each for each in holding if f"_{project}_" in each}
            assert len(mine) <= 2
            line = command(redis_url, "ZRANGE", f"p:{project}:waiting", 0, -1)
            assert {states[each] for each in line} <= {"queued"}
            listed = command(redis_url, "ZSCORE", "sys:waiting", project) is not None
            assert listed is bool(line)
    for job, attempt in jobs.due(NOW, 9)[1]:
        assert jobs.move(job, attempt, "starting", NOW, "x").outcome == "moved"
    full = command(redis_url, "SCARD", "sys:slots") == 3
    for project in PROJECTS:
        waits = command(redis_url, "EXISTS", f"p:{project}:waiting")
        assert full or len(held(redis_url, project)) == 2 or not waits
