from typing import Any

import pytest

from soulcaster.edges.cluster_list import ClusterList, Status
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.redis import Redis
from tests.edges.clusters import clustered, content, joined, page_of, read, stored
from tests.edges.servers import command
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
HOUR = 60 * 60 * 1000
PULL = "https://github.example/acme/larder/pull/7"


@pytest.fixture
def cluster(redis: Redis) -> str:
    """A cluster with an error that Sentry knows."""
    return clustered(redis, feedback(source="sentry", author=None))


def said(redis: Redis, cluster: str, status: Status, now: int = NOW + HOUR) -> dict[str, Any]:
    """The cluster after somebody has said what it is."""
    found = ClusterList(redis).set_status("larder", cluster, status, "ada", now)
    assert found is not None
    return found


def later(number: int = 2, **given: Any) -> Any:
    """An item that is heard of two hours later."""
    at = NOW + 2 * HOUR
    return feedback(
        **{"external_id": f"issue:{number}", "created_at": at, "received_at": at, **given}
    )


def occurrences(count: int, **given: Any) -> Any:
    """The error again, two hours later."""
    return later(
        1, source="sentry", author=None, version=NOW + 2 * HOUR, occurrences=count, **given
    )


def pull_request(redis: Redis, cluster: str, url: str, now: int = NOW) -> str:
    """A job of the cluster that ends with a pull request; returns the job's id."""
    jobs = JobStore(redis)
    job = jobs.ask(cluster, now, "ada", again=True).id
    for state in ("starting", "running", "proving", "publishing", "pr_open"):
        fields = {"pr_url": url, "pr_number": "7"} if state == "pr_open" else {}
        moved = jobs.move(job, 1, state, now, "test", fields)
        assert moved.outcome == "moved"
    return job


def test_a_resolved_cluster_says_by_what(redis: Redis, redis_url: str, cluster: str) -> None:
    """When, by whom, and with which pull request: that of the newest job that has one."""
    assert said(redis, cluster, "resolved", NOW + 1)["resolved_pr"] is None
    said(redis, cluster, "open")
    pull_request(redis, cluster, f"{PULL}0", NOW)
    pull_request(redis, cluster, PULL, NOW + 1)
    failed = JobStore(redis).ask(cluster, NOW + 2, "ada", again=True)
    JobStore(redis).move(failed.id, 1, "failed", NOW + 2, "test")
    shown = said(redis, cluster, "resolved")
    assert (shown["status"], shown["resolved_at"]) == ("resolved", NOW + HOUR)
    assert shown["resolved_pr"] == PULL
    assert command(redis_url, "HGET", f"p:larder:cl:{cluster}", "resolved_by") == "ada"
    assert shown["regressed_at"] is None


def test_a_new_item_opens_a_resolved_cluster(redis: Redis, cluster: str) -> None:
    """With when it came back and after which pull request; it is in the open list again."""
    pull_request(redis, cluster, PULL)
    said(redis, cluster, "resolved")
    assert page_of(redis).items == []
    joined(redis, cluster, later(), now=NOW + 3 * HOUR)
    (shown,) = page_of(redis).items
    assert (shown["status"], shown["regressed_at"]) == ("open", NOW + 3 * HOUR)
    assert shown["regressed_after"] == PULL
    assert page_of(redis, status="resolved").total == 0


def test_without_a_pull_request_it_regresses_after_none(redis: Redis, cluster: str) -> None:
    """Somebody may have resolved it by other means."""
    said(redis, cluster, "resolved")
    joined(redis, cluster, later())
    shown = read(redis, cluster)
    assert (shown["status"], shown["regressed_after"]) == ("open", None)
    assert shown["regressed_at"] is not None


@pytest.mark.parametrize("given", [{"count": 5}, {"count": 1, "occurrence_id": "e2", "rank": 1}])
def test_fresh_occurrences_open_a_resolved_cluster(
    redis: Redis, cluster: str, given: dict[str, Any]
) -> None:
    """A count that has grown, and an event that was not known, are both signs of life."""
    said(redis, cluster, "resolved")
    stored(redis, occurrences(**given))
    shown = read(redis, cluster)
    assert (shown["status"], shown["regressed_at"]) == ("open", NOW + 2 * HOUR)


def test_its_source_says_that_it_is_closed(redis: Redis, cluster: str) -> None:
    """That is no sign that the problem is back, even with a count that has grown meanwhile."""
    said(redis, cluster, "resolved")
    stored(redis, occurrences(1, open=False), occurrences(4, open=False))
    joined(redis, cluster, later(open=False))
    assert read(redis, cluster)["status"] == "resolved"


def test_what_is_no_news_opens_nothing(redis: Redis, redis_url: str, cluster: str) -> None:
    """Deliveries again, edits, and what was only waiting to be clustered when it was resolved."""
    first = feedback(source="sentry", author=None, occurrences=3)
    waiting = feedback(external_id="2", received_at=NOW + HOUR)
    stored(redis, first)
    said(redis, cluster, "resolved")
    stored(redis, first, occurrences(3, title="Edited"), waiting)
    before = content(redis_url)
    stored(redis, first, waiting)
    assert content(redis_url) == before
    joined(redis, cluster)
    assert read(redis, cluster)["status"] == "resolved"


def test_an_ignored_cluster_stays_ignored(redis: Redis, cluster: str) -> None:
    """However much comes in; it counts all the same."""
    said(redis, cluster, "ignored")
    stored(redis, occurrences(500))
    joined(redis, cluster, *(later(n) for n in range(2, 9)))
    shown = read(redis, cluster)
    assert (shown["status"], shown["size"], shown["regressed_at"]) == ("ignored", 8, None)
    assert page_of(redis).items == []
    assert page_of(redis, status="ignored").total == 1


def test_resolving_again_forgets_the_regression(redis: Redis, cluster: str) -> None:
    """Until it comes back once more, then after the pull request of that time."""
    said(redis, cluster, "resolved")
    joined(redis, cluster, later())
    pull_request(redis, cluster, PULL, NOW + 3 * HOUR)
    shown = said(redis, cluster, "resolved", NOW + 4 * HOUR)
    assert (shown["regressed_at"], shown["regressed_after"]) == (None, None)
    stored(redis, later())
    assert read(redis, cluster)["status"] == "resolved"
    joined(redis, cluster, later(3, received_at=NOW + 5 * HOUR), now=NOW + 6 * HOUR)
    shown = read(redis, cluster)
    assert (shown["regressed_at"], shown["regressed_after"]) == (NOW + 6 * HOUR, PULL)


def test_a_resolution_can_be_taken_back(redis: Redis, cluster: str) -> None:
    """Then it was never resolved."""
    said(redis, cluster, "resolved")
    shown = said(redis, cluster, "open")
    assert (shown["status"], shown["resolved_at"], shown["resolved_pr"]) == ("open", None, None)
    assert shown["regressed_at"] is None
