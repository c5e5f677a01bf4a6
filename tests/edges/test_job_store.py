from collections import Counter
from typing import Any, get_args

import pytest

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.job import ENDS, ENTERED_FROM, PATIENCE, State
from soulcaster.rules.page import Page, decode_cursor
from soulcaster.rules.project import Project
from tests.edges.clusters import clustered
from tests.edges.servers import everything
from tests.rules.samples import NOW, feedback

STATES: tuple[State, ...] = get_args(State)
# A way to each state from the first one.
WAYS: dict[State, list[State]] = {
    "queued": [],
    "starting": ["starting"],
    "running": ["starting", "running"],
    "publishing": ["starting", "running", "publishing"],
    "pr_open": ["starting", "running", "publishing", "pr_open"],
    "refused": ["starting", "running", "publishing", "refused"],
    "no_change": ["starting", "running", "no_change"],
    "timed_out": ["starting", "running", "timed_out"],
    "over_budget": ["starting", "running", "over_budget"],
    "failed": ["failed"],
}


@pytest.fixture
def jobs(redis: Redis) -> JobStore:
    return JobStore(redis)


@pytest.fixture
def cluster(redis: Redis, project: Project) -> str:
    """A cluster of two items."""
    return clustered(redis, feedback(), feedback(external_id="issue:2"))


def ask(jobs: JobStore, cluster: str, now: int = NOW) -> str:
    """A new job; returns its id."""
    answer = jobs.ask(cluster, now, "a person")
    assert answer is not None
    outcome, job = answer
    assert (outcome, job["state"], job["attempt"]) == ("created", "queued", 1)
    return str(job["id"])


def bring(jobs: JobStore, job: str, state: State) -> None:
    """Move a new job to ``state``."""
    for step in WAYS[state]:
        assert jobs.move(job, 1, step, NOW, "test").outcome == "moved"


def page_of(jobs: JobStore, cursor: str | None = None, limit: int = 50) -> Page[dict[str, Any]]:
    page = jobs.page("larder", decode_cursor(cursor), limit)
    assert page is not None
    return page


def test_what_is_not_there_is_not_fixed(jobs: JobStore, project: Project) -> None:
    """No job is made for a cluster that does not exist."""
    assert jobs.ask("cl_larder_none", NOW, "x") is None
    assert page_of(jobs).total == 0


def test_a_project_without_repository_has_no_fixes(
    jobs: JobStore, redis: Redis, cluster: str
) -> None:
    """There would be nowhere for a fix to go, so no job is made."""
    ProjectStore(redis).put(Project(id="larder", name="Larder"), new=False)
    answer = jobs.ask(cluster, NOW, "x")
    assert answer is not None
    assert answer[0] == "no_repository"
    assert page_of(jobs).total == 0


def test_asking_again_joins_the_live_job(jobs: JobStore, cluster: str) -> None:
    """While a job is live there is one for a cluster; after its end a new one is made."""
    job = ask(jobs, cluster)
    bring(jobs, job, "running")
    answer = jobs.ask(cluster, NOW, "another person")
    assert answer == ("joined", {"id": job, "state": "running", "attempt": 1})
    jobs.move(job, 1, "no_change", NOW, "nothing to do")
    assert ask(jobs, cluster) != job
    assert page_of(jobs).total == 2


@pytest.mark.parametrize("state", STATES)
def test_only_the_life_of_a_job_is_lived(jobs: JobStore, cluster: str, state: State) -> None:
    """From each state, exactly the steps that the life of a job has can be made."""
    for to in STATES:
        job = ask(jobs, cluster)
        bring(jobs, job, state)
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
        current = found["attempt"]
        if found["state"] not in ENDS:
            jobs.move(job, current, "failed", NOW, "done")


@pytest.mark.parametrize("state", STATES)
def test_a_stale_attempt_changes_nothing(
    jobs: JobStore, cluster: str, redis_url: str, state: State
) -> None:
    """A writer of an earlier or a later attempt is told so, and every key stays as it was."""
    job = ask(jobs, cluster)
    jobs.move(job, 1, "starting", NOW, "x")
    assert jobs.move(job, 1, "queued", NOW, "again").attempt == 2
    before = everything(redis_url)
    for attempt in (0, 1, 3):
        moved = jobs.move(job, attempt, state, NOW, "late", {"pr_url": "x"})
        assert (moved.outcome, moved.state, moved.attempt) == ("stale", "queued", 2)
        assert not jobs.touch(job, attempt, "queued", NOW, {"task": "x"})
    assert everything(redis_url) == before


def test_a_job_that_is_not_there_is_missing(jobs: JobStore, project: Project) -> None:
    """Neither moved, nor touched, nor read."""
    for job in ("job_larder_none", "job_other_none", "garbage", ""):
        assert jobs.move(job, 1, "failed", NOW, "x").outcome == "missing"
        assert not jobs.touch(job, 1, "running", NOW)
        assert jobs.read(job) is None
        assert jobs.brief(job, 5) is None


def test_counters_follow_the_states(jobs: JobStore, redis: Redis, cluster: str) -> None:
    """The number of jobs in each state is what the jobs say."""
    for state in STATES:
        job = ask(jobs, cluster)
        bring(jobs, job, state)
        if state not in ENDS:
            jobs.move(job, 1, "failed", NOW, "done")
    stats = ProjectStore(redis).stats("larder")
    assert stats is not None
    counted = {state: number for state, number in stats["jobs"].items() if number}
    assert counted == Counter(job["state"] for job in page_of(jobs).items)


def test_a_silent_job_is_due_and_a_live_one_is_not(jobs: JobStore, cluster: str) -> None:
    """Each state has its patience; a sign of life starts it anew; an end is never due."""
    job, now = ask(jobs, cluster), NOW
    for state in ("queued", "starting", "running", "publishing"):
        if state != "queued":
            now += 1_000
            assert jobs.move(job, 1, state, now, "x").outcome == "moved"
        assert jobs.due(now + PATIENCE[state] - 1, 10) == []
        assert [each["id"] for each in jobs.due(now + PATIENCE[state], 10)] == [job]
        now += 500
        assert jobs.touch(job, 1, state, now, {"task": "arn"})
        assert jobs.due(now + PATIENCE[state] - 1, 10) == []
        (due,) = jobs.due(now + PATIENCE[state], 10)
        assert (due["state"], due["task"], due["attempt"]) == (state, "arn", "1")
    jobs.move(job, 1, "pr_open", now, "done")
    assert jobs.due(now * 2, 10) == []
    assert not jobs.touch(job, 1, "publishing", now)


def test_a_deadline_outlasts_every_heartbeat(jobs: JobStore, cluster: str) -> None:
    """Signs of life don't carry a job past its deadline: right after it the job is due."""
    job, end = ask(jobs, cluster), NOW + 20_000
    jobs.move(job, 1, "starting", NOW, "x")
    jobs.move(job, 1, "running", NOW, "x", {"deadline": str(end)})
    assert jobs.touch(job, 1, "running", end)
    assert jobs.due(end, 10) == []
    assert [each["id"] for each in jobs.due(end + 1, 10)] == [job]
    assert not jobs.touch(job, 1, "running", end + 1)


def test_the_next_attempt_starts_clean(jobs: JobStore, cluster: str) -> None:
    """Nothing of a lost attempt is taken for the next one's."""
    job = ask(jobs, cluster)
    jobs.move(job, 1, "starting", NOW, "x", {"task": "arn"})
    jobs.move(job, 1, "running", NOW, "x", {"deadline": str(NOW + 9), "summary": "s"})
    jobs.move(job, 1, "queued", NOW, "again")
    brief = jobs.brief(job, 1)
    assert brief is not None
    assert not {"task", "deadline", "summary"} & brief.job.keys()
    assert jobs.touch(job, 2, "queued", NOW * 2)


def test_a_step_can_be_narrowed(jobs: JobStore, cluster: str) -> None:
    """A caller may insist on the state it has seen."""
    job = ask(jobs, cluster)
    jobs.move(job, 1, "starting", NOW, "x")
    wanted: list[tuple[State, str]] = [("running", "refused"), ("starting", "moved")]
    for state, outcome in wanted:
        assert jobs.move(job, 1, "failed", NOW, "x", only_from=[state]).outcome == outcome


def test_the_longest_silent_are_due_first(jobs: JobStore, redis: Redis, project: Project) -> None:
    """No more than asked for at once, the oldest first."""
    made = []
    for n in range(4):
        lone = clustered(redis, feedback(external_id=f"issue:{n}"))
        made.append(ask(jobs, lone, NOW + n))
    late = NOW + PATIENCE["queued"] + 2
    assert [each["id"] for each in jobs.due(late, 10)] == made[:3]
    assert [each["id"] for each in jobs.due(late, 2)] == made[:2]


def test_a_brief_holds_what_a_task_needs(jobs: JobStore, cluster: str, project: Project) -> None:
    """The job, its cluster and project, the newest items and how many there are."""
    job = ask(jobs, cluster)
    brief = jobs.brief(job, 1)
    assert brief is not None
    assert (brief.job["id"], brief.job["cluster"]) == (job, cluster)
    assert brief.cluster["id"] == cluster
    assert (brief.project["repository"], brief.project["base"]) == ("acme/larder", "main")
    assert (len(brief.feedback), brief.size) == (1, 2)
    assert brief.feedback[0]["title"] == feedback().title


def test_jobs_are_listed_newest_first(jobs: JobStore, cluster: str) -> None:
    """In pages, with the address of the pull request where there is one."""
    made = []
    for n in range(5):
        job = ask(jobs, cluster, NOW + n)
        bring(jobs, job, "publishing")
        jobs.move(job, 1, "pr_open", NOW, "", {"pr_url": "https://x", "pr_number": str(n)})
        made.append(job)
    first = page_of(jobs, limit=3)
    rest = page_of(jobs, first.next_cursor)
    assert [each["id"] for each in [*first.items, *rest.items]] == made[::-1]
    assert (first.total, rest.next_cursor) == (5, None)
    assert jobs.page("other", "", 3) is None
    assert first.items[0]["pull_request"] == {"number": 4, "url": "https://x"}


def test_words_are_bounded(jobs: JobStore, cluster: str) -> None:
    """A reason is stored in full up to its limit, whatever characters it has."""
    job = ask(jobs, cluster)
    jobs.move(job, 1, "failed", NOW, 'é"\\\n🥫' * 1_000)
    found = jobs.read(job)
    assert found is not None
    assert found["reason"] == ('é"\\\n🥫' * 1_000)[:2_000]
    assert found["history"][-1]["reason"] == found["reason"]
