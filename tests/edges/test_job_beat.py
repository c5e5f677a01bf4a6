"""A task's signs of life: what it has spent, what it may spend, and what it wrote."""

import pytest

from soulcaster.edges.job_store import LOG_ENTRIES, JobStore, Spent
from soulcaster.edges.redis import Redis
from soulcaster.rules.job import LIVE, PATIENCE, State
from tests.edges import working
from tests.edges.servers import command, everything
from tests.edges.working import DEADLINE, asked, brought, cluster_of, job_field
from tests.rules.samples import NOW


@pytest.fixture
def jobs(redis: Redis) -> JobStore:
    """Jobs of a project."""
    working.settings(redis)
    return JobStore(redis)


@pytest.fixture
def job(jobs: JobStore, redis_url: str) -> str:
    """A running job that may spend a thousand micro-dollars for now."""
    return brought(jobs, asked(jobs, cluster_of(redis_url, "larder")), "running", granted="1000")


def entries(jobs: JobStore, job: str, attempt: int = 1) -> list[str]:
    """What is stored of an attempt's log."""
    found = jobs.log(job, attempt, 0, 5_000)
    assert found is not None
    assert found[3] == len(found[2])
    return found[2]


@pytest.mark.parametrize("state", ["running", "proving"])
def test_a_beat_puts_the_reaper_off(jobs: JobStore, job: str, state: State) -> None:
    """For as long as heartbeats may be missed."""
    if state == "proving":
        jobs.move(job, 1, "proving", NOW, "x")
    now = NOW + PATIENCE["running"] - 1
    assert jobs.beat(job, 1, now) == (1000, 0)
    assert jobs.due(now + PATIENCE["running"] - 1, 9) == ([], [])
    assert len(jobs.due(now + PATIENCE["running"], 9)[0]) == 1


def test_no_beat_carries_a_job_past_its_deadline(jobs: JobStore, job: str, redis_url: str) -> None:
    """Right after it the job is due, and its task is told to stop."""
    assert jobs.beat(job, 1, DEADLINE) == (1000, 0)
    assert jobs.due(DEADLINE, 9) == ([], [])
    assert [each["id"] for each in jobs.due(DEADLINE + 1, 9)[0]] == [job]
    before = everything(redis_url)
    assert jobs.beat(job, 1, DEADLINE + 1, Spent(5), 5000, (0, ["late"])) is None
    assert everything(redis_url) == before


@pytest.mark.parametrize("state", ["queued", "starting", "publishing", "failed", "cancelled"])
def test_only_a_task_at_work_beats(jobs: JobStore, redis_url: str, state: State) -> None:
    """In any other state it is no longer wanted, and nothing changes."""
    job = brought(jobs, asked(jobs, cluster_of(redis_url, "larder", 1)), state)
    before = everything(redis_url)
    assert jobs.beat(job, 1, NOW, Spent(5), 5000, (0, ["x"])) is None
    assert everything(redis_url) == before


def test_what_was_spent_only_grows(jobs: JobStore, job: str, redis_url: str) -> None:
    """Beats that overtake each other leave the later one's numbers, all of one beat."""
    jobs.beat(job, 1, NOW, Spent(200, 20, 2, 2))
    jobs.beat(job, 1, NOW, Spent(100, 10, 1, 1))
    names = ("spent", "read", "written", "calls")
    assert [job_field(redis_url, job, name) for name in names] == ["200", "20", "2", "2"]
    jobs.beat(job, 1, NOW)
    assert job_field(redis_url, job, "spent") == "200"


def test_entries_are_stored_once(jobs: JobStore, job: str) -> None:
    """Sent again with the same number, or overlapping, each is there once, and in order."""
    assert jobs.beat(job, 1, NOW, log=(0, ["a", "b"])) == (1000, 2)
    assert jobs.beat(job, 1, NOW, log=(0, ["a", "b"])) == (1000, 2)
    assert jobs.beat(job, 1, NOW, log=(1, ["b", "c", "d"])) == (1000, 4)
    assert jobs.beat(job, 1, NOW, log=(4, [])) == (1000, 4)
    assert entries(jobs, job) == ["a", "b", "c", "d"]


def test_no_gap_is_stored(jobs: JobStore, job: str) -> None:
    """What comes too early is sent again from where the log ends."""
    assert jobs.beat(job, 1, NOW, log=(3, ["d"])) == (1000, 0)
    assert entries(jobs, job) == []


def test_a_log_has_an_end(jobs: JobStore, job: str) -> None:
    """However much a task writes."""
    whole = [str(n) for n in range(LOG_ENTRIES)]
    assert jobs.beat(job, 1, NOW, log=(0, whole)) == (1000, LOG_ENTRIES)
    assert jobs.beat(job, 1, NOW, log=(LOG_ENTRIES, ["more"])) == (1000, LOG_ENTRIES)
    assert entries(jobs, job) == whole


def test_every_attempt_has_its_log(jobs: JobStore, job: str, redis_url: str) -> None:
    """They are kept for a week after the job's end."""
    jobs.beat(job, 1, NOW, log=(0, ["first"]))
    jobs.move(job, 1, "queued", NOW, "lost")
    brought(jobs, job, "running", attempt=2)
    jobs.beat(job, 2, NOW, log=(0, ["second"]))
    assert (entries(jobs, job, 1), entries(jobs, job, 2)) == (["first"], ["second"])
    logs = [f"p:larder:job:{job}:log:{attempt}" for attempt in (1, 2)]
    assert {command(redis_url, "TTL", log) for log in logs} == {-1}
    jobs.move(job, 2, "no_change", NOW, "x")
    for log in logs:
        assert 0 < command(redis_url, "TTL", log) <= 7 * 86_400


@pytest.mark.parametrize("state", LIVE)
def test_a_person_cancels_from_every_live_state(
    jobs: JobStore, redis_url: str, state: State
) -> None:
    """Whichever attempt it is, once; the cluster is free, and the next in line is called."""
    command(redis_url, "SET", "p:larder:project", '{"repository": "a/b", "jobs_at_once": 1}')
    job = brought(jobs, asked(jobs, cluster_of(redis_url, "larder", 1)), state)
    other = asked(jobs, cluster_of(redis_url, "larder", 2), NOW + 1)
    waits = state in ("starting", "running", "proving")
    if waits:
        assert jobs.move(other, 1, "starting", NOW, "x").outcome == "waiting"
    moved = jobs.move(job, "*", "cancelled", NOW, "a person", {"cause": "person"})
    assert (moved.outcome, moved.state, moved.attempt) == ("moved", "cancelled", 1)
    assert moved.next == ((other, 1) if waits else None)
    before = everything(redis_url)
    again = jobs.move(job, "*", "cancelled", NOW, "a person")
    assert (again.outcome, again.state, again.next) == ("refused", "cancelled", None)
    assert jobs.move(job, 1, "failed", NOW, "x").outcome == "refused"
    assert everything(redis_url) == before
    assert jobs.ask(cluster_of(redis_url, "larder", 1), NOW, "x").outcome == "created"


def test_what_is_being_opened_is_not_cancelled(jobs: JobStore, redis_url: str) -> None:
    """Nothing changes: a pull request may be there already."""
    job = brought(jobs, asked(jobs, cluster_of(redis_url, "larder", 1)), "publishing")
    assert jobs.touch(job, 1, ("publishing",), fields={"opening": "1"})
    before = everything(redis_url)
    moved = jobs.move(job, "*", "cancelled", NOW, "a person")
    assert (moved.outcome, moved.state) == ("opening", "publishing")
    assert everything(redis_url) == before
