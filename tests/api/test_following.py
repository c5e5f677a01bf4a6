"""Following a job: what it shows, whether that has changed, and what its attempts write."""

from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.clock import now_ms
from soulcaster.edges.job_store import JobStore, Spent
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.api.fixing import OPENED, PULL, asked, ended, lost, reach
from tests.edges.clusters import clustered, joined
from tests.rules.samples import feedback

if TYPE_CHECKING:
    from collections.abc import Callable

    from soulcaster.rules.job import State

FOREIGN = ["job_larder_00", "job_other_00", "cl_larder_00", "garbage", "%00", "é"]


@pytest.fixture
def cluster(redis: Redis, larder: Project) -> str:
    return clustered(redis, feedback(), name="Export")


@pytest.fixture
def job(redis: Redis, cluster: str) -> str:
    return asked(redis, cluster)


def wrote(redis: Redis, job: str, attempt: int, first: int, *entries: str) -> None:
    """What a heartbeat leaves of the log."""
    log = (first, entries)
    assert JobStore(redis).beat(job, attempt, now_ms(), log=log) is not None


def logs(api: TestClient, job: str, **query: Any) -> dict[str, Any]:
    answer = api.get(f"/jobs/{job}/logs", params=query)
    assert answer.status_code == 200
    return dict(answer.json())


def followed(api: TestClient, job: str, limit: int) -> tuple[list[tuple[int, str]], dict[str, Any]]:
    """(attempt, entry) of all pages until one brings nothing new, and that one."""
    found: list[tuple[int, str]] = []
    page = logs(api, job, limit=limit)
    while True:
        assert len(page["entries"]) <= limit
        found += [(page["attempt"], entry) for entry in page["entries"]]
        after = page["next"]
        last, page = page, logs(api, job, limit=limit, after=after)
        if last["done"] or (not page["entries"] and page["next"] == after):
            return found, page


def test_a_tag_is_new_when_anything_is(
    api: TestClient, redis: Redis, cluster: str, job: str
) -> None:
    """As long as nothing happens it is the same and answers 304 without a body; a state, a cost,
    an attempt, a report, the pull request and an end each make it another.
    """
    jobs = JobStore(redis)
    happens: list[Callable[[], object]] = [
        lambda: reach(redis, job, "running"),
        lambda: jobs.beat(job, 1, now_ms(), Spent(1_000, 10, 20, 1)),
        lambda: jobs.beat(job, 1, now_ms(), Spent(1_000, 10, 21, 1)),
        lambda: joined(redis, cluster, feedback(external_id="issue:2")),
        lambda: lost(redis, job, 1),
        lambda: reach(redis, job, "publishing", attempt=2),
        lambda: jobs.touch(job, 2, ("publishing",), fields={"summary": "Counts rows."}),
        lambda: jobs.move(job, 2, "refused", now_ms(), "no", {"cause": "patch"}),
    ]
    tags: list[str] = []
    for happen in (lambda: None, *happens):
        happen()
        first, second = api.get(f"/jobs/{job}"), api.get(f"/jobs/{job}")
        tag = first.headers["etag"]
        assert (second.headers["etag"], second.json()) == (tag, first.json())
        same = api.get(f"/jobs/{job}", headers={"if-none-match": tag})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        for old in tags:
            changed = api.get(f"/jobs/{job}", headers={"if-none-match": old})
            assert (changed.status_code, changed.json()) == (200, first.json())
        tags.append(tag)
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("{}", 304),
        ("W/{}", 304),
        ('"other", {}', 304),
        ('W/"other",W/{} , "third"', 304),
        ("*", 304),
        ('"other"', 200),
        ('"*"', 200),
        ("", 200),
        ("garbage", 200),
    ],
)
def test_tags_may_be_several_and_weak(api: TestClient, job: str, header: str, status: int) -> None:
    """Any of a list will do, as RFC 9110 has it; `*` is whatever there is."""
    tag = api.get(f"/jobs/{job}").headers["etag"]
    answer = api.get(f"/jobs/{job}", headers={"if-none-match": header.format(tag)})
    assert answer.status_code == status
    assert answer.headers["etag"] == tag


def test_no_tag_fits_what_is_not_there(api: TestClient, larder: Project) -> None:
    """404, even when anything would do."""
    answer = api.get("/jobs/job_larder_00", headers={"if-none-match": "*"})
    assert answer.status_code == 404


def test_a_job_shows_what_it_costs_and_where_it_led(
    api: TestClient, redis: Redis, job: str
) -> None:
    """The cost so far, the tokens, the deadline, then the pull request with its state."""
    fresh = api.get(f"/jobs/{job}").json()
    assert fresh["cost"] == {
        "dollars": 0.0,
        "exact": False,
        "budget": 5.0,
        "tokens_read": 0,
        "tokens_written": 0,
        "model_calls": 0,
    }
    assert (fresh["repository"], fresh["base"]) == ("acme/larder", "main")
    for name in ("cause", "verdict", "plan", "engine", "model", "deadline", "pull_request"):
        assert fresh[name] is None
    reach(redis, job, "running")
    JobStore(redis).beat(job, 1, now_ms(), Spent(250_000, 10, 20, 3))
    working = api.get(f"/jobs/{job}").json()
    assert working["deadline"] > now_ms()
    assert working["cost"] == {
        "dollars": 0.25,
        "exact": False,
        "budget": 5.0,
        "tokens_read": 10,
        "tokens_written": 20,
        "model_calls": 3,
    }
    steps: list[tuple[State, dict[str, str]]] = [
        ("proving", {}),
        ("publishing", {"verdict": "proven", "exact": "1"}),
        ("pr_open", {"cause": "pr_open", **OPENED}),
    ]
    for state, fields in steps:
        JobStore(redis).move(job, 1, state, now_ms(), "test", fields)
    shown = api.get(f"/jobs/{job}").json()
    assert (shown["state"], shown["cause"], shown["verdict"]) == ("pr_open", "pr_open", "proven")
    assert (shown["cost"]["dollars"], shown["cost"]["exact"]) == (0.25, True)
    pull = {"number": 7, "url": PULL, "state": "open", "draft": True, "checks": None}
    assert shown["pull_request"] == pull
    (listed,) = api.get("/jobs", params={"project": "larder"}).json()["items"]
    assert listed == {name: shown[name] for name in listed}


@pytest.mark.parametrize("limit", [1, 2, 3, 1_000])
def test_logs_are_followed_over_attempts(
    api: TestClient, redis: Redis, job: str, limit: int
) -> None:
    """Every entry once and in order, whatever the pages' size and however many attempts there
    were; `done` only when the job has ended and all of it was read.
    """
    assert followed(api, job, limit) == ([], logs(api, job))
    reach(redis, job, "running")
    wrote(redis, job, 1, 0, "a", "b", "ü\n")
    first = [(1, "a"), (1, "b"), (1, "ü\n")]
    assert followed(api, job, limit)[0] == first
    lost(redis, job, 1)
    reach(redis, job, "running", attempt=2)
    lost(redis, job, 2)
    reach(redis, job, "running", attempt=3)
    wrote(redis, job, 3, 0, "d")
    found, page = followed(api, job, limit)
    assert (found, page["done"]) == ([*first, (3, "d")], False)
    wrote(redis, job, 3, 1, "e")
    later = logs(api, job, after=page["next"])
    assert (later["entries"], later["attempt"], later["done"]) == (["e"], 3, False)
    ended(redis, job, 3)
    found, page = followed(api, job, limit)
    assert (found, page["done"]) == ([*first, (3, "d"), (3, "e")], True)
    assert logs(api, job, after=later["next"]) == {**page, "entries": []}


def test_a_page_that_is_full_is_not_the_last(api: TestClient, redis: Redis, job: str) -> None:
    """Of an ended job too: `done` comes with the last entry."""
    reach(redis, job, "running")
    wrote(redis, job, 1, 0, "a", "b")
    ended(redis, job)
    page = logs(api, job, limit=1)
    assert page == {"entries": ["a"], "attempt": 1, "next": "1.1", "done": False}
    page = logs(api, job, limit=1, after=page["next"])
    assert page == {"entries": ["b"], "attempt": 1, "next": "1.2", "done": True}


@pytest.mark.parametrize(
    "after",
    ["", "1", "1.", ".1", "0.0", "01.0", "1.-1", "-1.0", "1.0.0", "1.0\n", "a.b", "1.٣", "9" * 9],
)
def test_a_place_that_is_none_is_the_callers_fault(api: TestClient, job: str, after: str) -> None:
    """400 that names the field."""
    answer = api.get(f"/jobs/{job}/logs", params={"after": after})
    assert (answer.status_code, answer.json()["detail"]) == (400, "after: is no place in a log")


@pytest.mark.parametrize("after", ["1.999999", "99999.0", "2.5"])
def test_a_place_that_is_not_there_yet_is_empty(api: TestClient, job: str, after: str) -> None:
    """No entries and not done, as more may come."""
    page = logs(api, job, after=after)
    assert (page["entries"], page["done"]) == ([], False)


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many"])
def test_the_limit_has_limits(api: TestClient, job: str, limit: str) -> None:
    """422 that names the field."""
    answer = api.get(f"/jobs/{job}/logs", params={"limit": limit})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "limit"]


@pytest.mark.parametrize("wanted", FOREIGN)
def test_what_is_not_there_has_no_log(api: TestClient, job: str, wanted: str) -> None:
    """404 for what is not there and for what is no job."""
    assert api.get(f"/jobs/{wanted}/logs").status_code == 404
