"""Checks of a pull request of ours; and that no order of what GitHub says matters."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.redis import Redis
from soulcaster.rules.pull_news import Checks, News
from tests.edges.opened import JOB, Stored, opened
from tests.edges.servers import command, everything
from tests.rules.pulls import HEAD, SECOND, check_news, pull_news
from tests.rules.samples import NOW

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def stored(redis: Redis, redis_url: str) -> Stored:
    """A cluster and its job."""
    return opened(redis, redis_url)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (["passing"], "passing"),
        (["passing", "failing"], "failing"),
        (["passing", "pending"], "pending"),
        (["pending", "failing", "passing"], "failing"),
    ],
)
def test_checks_pass_when_none_fails(stored: Stored, said: list[Checks], shown: str) -> None:
    """One that fails is what counts, then one that waits."""
    stored.tell(*(check_news(checks, suite=n) for n, checks in enumerate(said)))
    assert stored.job()["pr_checks"] == shown
    failed = [(0, "checks of pull request #7 failed")] if shown == "failing" else []
    assert stored.history() == failed


def test_a_suite_that_ran_again_counts_as_it_ended_last(stored: Stored) -> None:
    """Whichever of the two we hear of first."""
    failed, passed = check_news("failing"), check_news("passing", at=NOW + SECOND)
    for news in ([failed, passed], [passed, failed]):
        stored.tell(*news)
        assert stored.job()["pr_checks"] == "passing"


def test_only_the_newest_commits_checks_count(stored: Stored) -> None:
    """A commit that somebody pushed starts anew, and may have been checked before we hear of it."""
    other = "5e6f" * 10
    stored.tell(check_news("failing"), check_news("passing", suite=2, head=other))
    assert stored.job()["pr_checks"] == "failing"
    stored.tell(pull_news(head=other, what="given other commits"))
    assert stored.job()["pr_checks"] == "passing"
    stored.tell(pull_news(head="ab" * 20, what="given other commits", at=NOW + SECOND))
    assert stored.job()["pr_checks"] == ""


def test_what_is_kept_of_a_pull_request_is_bounded(stored: Stored) -> None:
    """The newest 100 suites and the newest 100 lines, in whatever order they come."""
    told = [check_news("failing", suite=n, at=NOW + n * SECOND) for n in range(120)]
    stored.tell(*told[60:], *told[:60])
    kept = everything(stored.url)[f"p:larder:job:{JOB}:checks"]
    assert sorted(map(int, kept)) == list(range(20, 120))
    assert stored.history()[0][0] == 20 * SECOND
    assert len(stored.history()) == 100


HEADS = ("ab" * 20, HEAD, "cd" * 20)
PULLS = st.builds(
    pull_news,
    st.sampled_from(["open", "closed"]),
    at=st.integers(0, 4).map(lambda second: NOW + second * SECOND),
    draft=st.booleans(),
    head=st.sampled_from(HEADS),
)
SUITES = st.builds(
    check_news,
    st.sampled_from(["pending", "passing", "failing"]),
    at=st.integers(0, 4).map(lambda second: NOW + second * SECOND),
    suite=st.integers(1, 3),
    head=st.just(HEAD),
    numbers=st.sampled_from([(7,), (7, 8), (9,)]),
)


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data(), st.lists(PULLS | SUITES, max_size=6), st.booleans())
def test_s14_news_in_any_order_ends_the_same(
    redis: Redis, redis_url: str, data: st.DataObject, told: list[News], merged: bool
) -> None:
    """Whatever is told, in whatever order, how often and in how many batches: all is equal."""
    if merged:
        told = [*told, pull_news("merged", at=NOW + 9 * SECOND)]
    told = [replace(news, received_at=NOW + n) for n, news in enumerate(told)]
    other = (
        data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told)))]))
        if (told)
        else []
    )
    left: list[dict[str, Any]] = []
    for order in ([told], [[news] for news in other]):
        command(redis_url, "FLUSHALL")
        command(redis_url, "SET", "p:larder:project", '{"id": "larder", "name": "Larder"}')
        stored = opened(redis, redis_url)
        for batch in order:
            stored.tell(*batch)
        left.append(everything(redis_url))
    assert left[0] == left[1]
