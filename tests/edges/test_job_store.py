from collections import Counter
from typing import Any, get_args

import pytest

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.job import ENDS, ENTERED_FROM, PATIENCE, State
from soulcaster.rules.page import Page, decode_cursor
from tests.edges.clusters import clustered
from tests.edges.servers import everything
from tests.edges.working import asked, brought, clusters, settings
from tests.rules.samples import NOW, feedback

STATES: tuple[State, ...] = get_args(State)


@pytest.fixture
def jobs(redis: Redis) -> JobStore:
    """Jobs of a project that may ask as often as it likes."""
    settings(redis, jobs_per_day=1_000, dollars_per_day=5_000.0)
    return JobStore(redis)


@pytest.fixture
def cluster(redis: Redis, jobs: JobStore) -> str:
    """A cluster of two items."""
    return clustered(redis, feedback(), feedback(external_id="issue:2"))


def page_of(jobs: JobStore, cursor: str | None = None, limit: int = 50) -> Page[dict[str, Any]]:
    """A page of the jobs of ``larder``."""
    page = jobs.page("larder", decode_cursor(cursor), limit)
    assert page is not None
    return page


def overdue(jobs: JobStore, now: int, limit: int = 10) -> list[dict[str, Any]]:
    """The jobs that are overdue, where none waits for a slot."""
    found, told = jobs.due(now, limit)
    assert told == []
    return found


@pytest.mark.parametrize("state", STATES)
def test_only_the_life_of_a_job_is_lived(jobs: JobStore, cluster: str, state: State) -> None:
    """From each state, exactly the steps that the life of a job has can be made."""
    for to in STATES:
        job = brought(jobs, asked(jobs, cluster), state)
        moved = jobs.move(job, 1, to, NOW + 1, "because", {"summary": "s"})
        found = jobs.read(job)
        assert found is not None
        if state in ENTERED_FROM[to]:
            assert (moved.outcome, moved.state) == ("moved", to)
            assert moved.attempt == (2 if to == "queued" else 1)
            assert (found["state"], found["reason"], found["summary"]) == (to, "because", "s")
            assert found["history"][-1] == {
                "state": to,
                "at": NOW + 1,
                "attempt": moved.attempt,
                "reason": "because",
            }
        else:
            assert (moved.outcome, moved.state) == ("refused", state)
            assert (found["state"], found["summary"]) == (state, "")
        if found["state"] not in ENDS:
            jobs.move(job, found["attempt"], "failed", NOW, "done")


@pytest.mark.parametrize("state", STATES)
def test_a_stale_attempt_changes_nothing(
    jobs: JobStore, cluster: str, redis_url: str, state: State
) -> None:
    """A writer of an earlier or a later attempt is told so, and every key stays as it was."""
    job = asked(jobs, cluster)
    jobs.move(job, 1, "starting", NOW, "x")
    assert jobs.move(job, 1, "queued", NOW, "again").attempt == 2
    brought(jobs, job, "running", attempt=2)
    before = everything(redis_url)
    for attempt in (0, 1, 3):
        moved = jobs.move(job, attempt, state, NOW, "late", {"pr_url": "x"})
        assert (moved.outcome, moved.state, moved.attempt) == ("stale", "running", 2)
        assert not jobs.touch(job, attempt, ("running",), NOW, {"task": "x"})
        assert jobs.beat(job, attempt, NOW, wanted=9, log=(0, ["late"])) is None
    assert everything(redis_url) == before


def test_a_job_that_is_not_there_is_missing(jobs: JobStore) -> None:
    """Neither moved, nor touched, nor read."""
    for job in ("job_larder_none", "job_other_none", "garbage", ""):
        assert jobs.move(job, 1, "failed", NOW, "x").outcome == "missing"
        assert not jobs.touch(job, 1, ("running",), NOW)
        assert jobs.beat(job, 1, NOW) is None
        assert jobs.read(job) is None
        assert jobs.log(job, 1, 0, 9) is None
        assert jobs.brief(job, 5) is None


def test_counters_follow_the_states(jobs: JobStore, redis: Redis, cluster: str) -> None:
    """The number of jobs in each state is what the jobs say."""
    for state in STATES:
        job = brought(jobs, jobs.ask(cluster, NOW, "x", again=True).id, state)
        if state not in ENDS:
            jobs.move(job, 1, "failed", NOW, "done")
    stats = ProjectStore(redis).stats("larder")
    assert stats is not None
    counted = {state: number for state, number in stats["jobs"].items() if number}
    assert counted == Counter(job["state"] for job in page_of(jobs).items)


def test_a_silent_job_is_due_and_a_live_one_is_not(jobs: JobStore, cluster: str) -> None:
    """Each state has its patience; what it is put off by starts anew; an end is never due."""
    job, now = asked(jobs, cluster), NOW
    states: tuple[State, ...] = ("queued", "starting", "running", "proving", "publishing")
    for state in states:
        if state != "queued":
            now += 1_000
            assert jobs.move(job, 1, state, now, "x").outcome == "moved"
        assert overdue(jobs, now + PATIENCE[state] - 1) == []
        assert [each["id"] for each in overdue(jobs, now + PATIENCE[state])] == [job]
        assert jobs.touch(job, 1, (state,), now + PATIENCE[state] + 9, {"task": "arn"})
        assert overdue(jobs, now + PATIENCE[state] + 8) == []
        (due,) = overdue(jobs, now + PATIENCE[state] + 9)
        assert (due["state"], due["task"], due["attempt"]) == (state, "arn", "1")
    jobs.move(job, 1, "pr_open", now, "done")
    assert overdue(jobs, now * 2) == []
    assert not jobs.touch(job, 1, ("publishing",), now)


def test_a_message_that_is_held_back_is_not_late(jobs: JobStore, cluster: str) -> None:
    """The reaper's patience starts when the message can be seen."""
    job = asked(jobs, cluster)
    jobs.move(job, 1, "starting", NOW, "x")
    jobs.move(job, 1, "queued", NOW, "again", pause=60)
    assert overdue(jobs, NOW + PATIENCE["queued"] + 59_999) == []
    assert len(overdue(jobs, NOW + PATIENCE["queued"] + 60_000)) == 1


def test_a_note_may_leave_the_reapers_time(jobs: JobStore, cluster: str) -> None:
    """Only what is said changes."""
    job = asked(jobs, cluster)
    assert jobs.touch(job, 1, ("queued", "starting"), fields={"task": "arn"})
    assert overdue(jobs, NOW + PATIENCE["queued"] - 1) == []
    assert overdue(jobs, NOW + PATIENCE["queued"])[0]["task"] == "arn"


def test_the_next_attempt_starts_clean(jobs: JobStore, cluster: str) -> None:
    """Nothing of a lost attempt is taken for the next one's."""
    job = asked(jobs, cluster)
    mark = {"task": "arn", "tries": "3", "granted": "5", "spent": "4", "read": "1", "written": "1"}
    mark |= {"calls": "1", "summary": "s", "verdict": "proven", "patch_sha256": "a"}
    brought(jobs, job, "running", 1, **mark)
    jobs.move(job, 1, "queued", NOW, "again")
    brief = jobs.brief(job, 1)
    assert brief is not None
    assert not {*mark, "deadline"} & brief.job.keys()
    assert jobs.touch(job, 2, ("queued",), NOW * 2)


def test_a_step_can_be_narrowed(jobs: JobStore, cluster: str) -> None:
    """A caller may insist on the state it has seen."""
    job = asked(jobs, cluster)
    jobs.move(job, 1, "starting", NOW, "x")
    wanted: list[tuple[State, str]] = [("running", "refused"), ("starting", "moved")]
    for state, outcome in wanted:
        assert jobs.move(job, 1, "failed", NOW, "x", only_from=[state]).outcome == outcome


def test_the_longest_silent_are_due_first(jobs: JobStore, redis: Redis) -> None:
    """No more than asked for at once, the oldest first."""
    made = [asked(jobs, lone, NOW + n) for n, lone in enumerate(clusters(redis, 4))]
    late = NOW + PATIENCE["queued"] + 2
    assert [each["id"] for each in overdue(jobs, late)] == made[:3]
    assert [each["id"] for each in overdue(jobs, late, 2)] == made[:2]


def test_a_brief_holds_what_a_task_needs(jobs: JobStore, cluster: str) -> None:
    """The job, its cluster and project, the newest items and how many there are; no plan."""
    job = asked(jobs, cluster)
    brief = jobs.brief(job, 1)
    assert brief is not None
    assert (brief.job["id"], brief.job["cluster"]) == (job, cluster)
    assert brief.cluster["id"] == cluster
    assert (brief.project["repository"], brief.project["base"]) == ("acme/larder", "main")
    assert (len(brief.feedback), brief.size, brief.plan) == (1, 2, "")
    assert brief.feedback[0]["title"] == feedback().title


def test_jobs_are_listed_newest_first(jobs: JobStore, cluster: str) -> None:
    """In pages, with the address of the pull request where there is one."""
    made = []
    for n in range(5):
        job = brought(jobs, jobs.ask(cluster, NOW + n, "x", again=True).id, "publishing")
        jobs.move(job, 1, "pr_open", NOW, "", {"pr_url": "https://x", "pr_number": str(n)})
        made.append(job)
    first = page_of(jobs, limit=3)
    rest = page_of(jobs, first.next_cursor)
    assert [each["id"] for each in [*first.items, *rest.items]] == made[::-1]
    assert (first.total, rest.next_cursor) == (5, None)
    assert jobs.page("other", "", 3) is None
    shown = first.items[0]["pull_request"]
    assert (shown["number"], shown["url"], shown["state"]) == (4, "https://x", "open")


def test_words_are_bounded(jobs: JobStore, cluster: str) -> None:
    """A reason is stored in full up to its limit, whatever characters it has."""
    job = asked(jobs, cluster)
    jobs.move(job, 1, "failed", NOW, 'é"\\\n🥫' * 1_000)
    found = jobs.read(job)
    assert found is not None
    assert found["reason"] == ('é"\\\n🥫' * 1_000)[:2_000]
    assert found["history"][-1]["reason"] == found["reason"]
