"""What GitHub says of a pull request of ours moves the job and its cluster on."""

import pytest

from soulcaster.edges.cluster_list import Status
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.pull_store import PullStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.correction import Decision
from soulcaster.rules.pull_news import News
from tests.edges.clusters import clustered, joined, page_of, read
from tests.edges.opened import HOUR, JOB, URL, Stored, opened
from tests.edges.servers import everything
from tests.rules.pulls import SECOND, check_news, pull_news
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def stored(redis: Redis, redis_url: str) -> Stored:
    """A cluster and its job."""
    return opened(redis, redis_url)


def test_a_merge_resolves_the_cluster(stored: Stored) -> None:
    """Job and cluster say so, with the pull request and when we heard of it."""
    assert stored.tell(pull_news("merged")) == 1
    job = stored.job()
    assert (job["pr_state"], job["pr_draft"], job["state"]) == ("merged", "0", "pr_open")
    assert job["updated"] == str(NOW + 5)
    shown = read(stored.redis, stored.cluster)
    assert (shown["status"], shown["resolved_pr"]) == ("resolved", URL)
    assert shown["resolved_at"] == NOW + 5
    assert stored.pull() is None
    assert stored.history() == [(0, "pull request #7 was merged")]
    assert page_of(stored.redis).total == 0
    assert page_of(stored.redis, status="resolved").total == 1


def test_a_merge_is_told_once(stored: Stored) -> None:
    """The same again, also in one batch, changes nothing."""
    stored.tell(pull_news("merged"), pull_news("merged"))
    before = everything(stored.url)
    assert stored.tell(pull_news("merged")) == 1
    assert everything(stored.url) == before


def test_closed_unmerged_leaves_the_problem(stored: Stored) -> None:
    """The cluster stays open and has no open pull request, until that is reopened."""
    stored.tell(pull_news("closed"))
    assert (stored.job()["pr_state"], stored.pull()) == ("closed", None)
    assert read(stored.redis, stored.cluster)["status"] == "open"
    stored.tell(pull_news("open", at=NOW + SECOND))
    assert (stored.job()["pr_state"], stored.pull()) == ("open", JOB)
    assert stored.history() == [
        (0, "pull request #7 was closed"),
        (SECOND, "pull request #7 was reopened"),
    ]


def test_a_draft_becomes_ready_and_a_draft_again(stored: Stored) -> None:
    """The job says which it is; the cluster is not concerned."""
    for second, draft in enumerate((False, True, False)):
        stored.tell(pull_news(draft=draft, at=NOW + second * SECOND, what="x"))
        assert stored.job()["pr_draft"] == str(int(draft))
    assert stored.pull() == JOB


@pytest.mark.parametrize("status", ["ignored", "resolved"])
def test_what_a_person_said_stays(stored: Stored, status: Status) -> None:
    """A merge does not resolve what is ignored, nor resolve again what is resolved."""
    stored.status(status)
    before = read(stored.redis, stored.cluster)
    stored.tell(pull_news("merged"))
    after = read(stored.redis, stored.cluster)
    for name in ("status", "resolved_at", "resolved_pr"):
        assert after[name] == before[name]
    assert (stored.job()["pr_state"], stored.pull()) == ("merged", None)


def test_a_new_report_after_the_merge_opens_it_again(stored: Stored) -> None:
    """And it says after which pull request; an echo of the merge does not resolve it again."""
    stored.tell(pull_news("merged"))
    at = NOW + HOUR
    again = feedback(external_id="issue:3", created_at=at, received_at=at)
    joined(stored.redis, stored.cluster, again, now=at)
    for _ in range(2):
        shown = read(stored.redis, stored.cluster)
        assert (shown["status"], shown["regressed_after"]) == ("open", URL)
        assert shown["regressed_at"] == at
        stored.tell(pull_news("merged"))


def test_a_merge_after_a_regression_resolves_it(stored: Stored) -> None:
    """The second fix's pull request is the one that counts then."""
    stored.status("resolved")
    at = NOW + HOUR
    again = feedback(external_id="issue:3", created_at=at, received_at=at)
    joined(stored.redis, stored.cluster, again, now=at)
    stored.tell(pull_news("merged", at=at + 1, received_at=at + 2))
    shown = read(stored.redis, stored.cluster)
    assert (shown["status"], shown["resolved_at"]) == ("resolved", at + 2)
    assert shown["regressed_at"] is None


def test_what_the_cluster_has_become_is_resolved(stored: Stored) -> None:
    """People may merge clusters while a pull request is open."""
    other = clustered(stored.redis, feedback(external_id="issue:9"))
    decided = Decision("ada", "the same", NOW)
    CorrectionStore(stored.redis).merge("larder", other, [stored.cluster], decided)
    stored.tell(pull_news("merged"))
    shown = read(stored.redis, other)
    assert (shown["status"], shown["resolved_pr"]) == ("resolved", URL)
    assert (stored.pull(), stored.pull(other)) == (None, None)
    assert read(stored.redis, stored.cluster)["status"] == "merged"


def test_a_newer_pull_request_stays_the_clusters(stored: Stored) -> None:
    """An older one that is closed or reopened meanwhile does not take its place."""
    stored.opened(stored.cluster, 8, "job_larder_0002")
    stored.tell(pull_news("closed"))
    assert stored.pull() == "job_larder_0002"
    stored.tell(pull_news("open", at=NOW + SECOND))
    assert stored.pull() == "job_larder_0002"
    stored.tell(pull_news("closed", number=8))
    assert stored.pull() == JOB


@pytest.mark.parametrize(
    "news",
    [
        pull_news("merged", number=8),
        pull_news("merged", repository="acme/larder-two"),
        check_news("failing", numbers=(8, 9)),
    ],
)
def test_other_pull_requests_are_none_of_ours(stored: Stored, news: News) -> None:
    """Nothing is stored of them."""
    before = everything(stored.url)
    assert stored.tell(news) == 0
    assert everything(stored.url) == before


def test_another_project_can_not_speak_of_it(stored: Stored) -> None:
    """A source tells of the pull requests of its own project."""
    before = everything(stored.url)
    assert PullStore(stored.redis).tell("attic", [pull_news("merged")]) == 0
    assert everything(stored.url) == before


def test_late_news_is_no_news(stored: Stored) -> None:
    """A job that was told of a later state keeps it; that something was is still noted."""
    stored.tell(pull_news("merged", at=NOW + SECOND))
    stored.tell(pull_news("open", what="marked as ready for review"))
    assert stored.job()["pr_state"] == "merged"
    assert stored.history() == [
        (0, "pull request #7 was marked as ready for review"),
        (SECOND, "pull request #7 was merged"),
    ]
