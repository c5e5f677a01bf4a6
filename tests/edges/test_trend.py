import json
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.cluster_list import ClusterList
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.project import Project
from tests.edges.clusters import clustered, content, read, stored
from tests.edges.servers import command
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
DAY = 24 * 60 * 60 * 1000
TODAY = NOW // DAY


def issue(day: int, count: int = 1, created: int = 0, **given: object) -> Feedback:
    """A delivery of one Sentry issue that is received on a day, with the source's own count."""
    return feedback(
        **{
            "source": "sentry",
            "author": None,
            "created_at": NOW + created * DAY,
            "received_at": NOW + day * DAY + 7,
            "version": NOW + day * DAY,
            "occurrences": count,
            **given,
        }
    )


def event(day: int, identifier: str, created: int = 0) -> Feedback:
    """A delivery of one event of the issue."""
    return issue(day, 1, created, rank=1, occurrence_id=identifier)


def days_of(url: str, item: Feedback) -> dict[int, int]:
    """Reports of a stored item by day, counted from ``NOW``."""
    found = json.loads(command(url, "HGET", f"p:larder:fb:{item.id}", "days"))
    return {int(day) - TODAY: reports for day, reports in found.items()}


def hash_of(url: str, key: str) -> dict[int, int]:
    """A hash of reports by day, counted from ``NOW``."""
    flat = command(url, "HGETALL", key)
    return {int(d) - TODAY: int(reports) for d, reports in zip(flat[::2], flat[1::2], strict=True)}


def test_a_report_counts_on_the_day_it_was_made(redis: Redis, redis_url: str) -> None:
    """Not on the day on which it came; what its first delivery says counts there, too."""
    for item in (issue(5), issue(5, 40, external_id="2")):
        stored(redis, item)
        assert days_of(redis_url, item) == {0: item.occurrences}


def test_growth_counts_on_the_day_it_came(redis: Redis, redis_url: str) -> None:
    """By how much it grew; what says nothing new adds nothing, and reports are the days' sum."""
    stored(redis, issue(1, 3), issue(2, 7), issue(3, 7), issue(4, 5), issue(6, 9))
    assert days_of(redis_url, issue(0)) == {0: 3, 2: 4, 6: 2}
    key = f"p:larder:fb:{issue(0).id}"
    assert command(redis_url, "HMGET", key, "reports", "occurrences") == ["9", "9"]


def test_events_count_on_the_day_they_came(redis: Redis, redis_url: str) -> None:
    """Each once, on the day of its first delivery."""
    stored(redis, event(1, "a"), event(2, "b"), event(2, "c"), event(3, "a"), event(4, "d"))
    assert days_of(redis_url, issue(0)) == {0: 1, 2: 2, 4: 1}


def test_a_report_from_the_future_counts_on_the_day_it_came(redis: Redis, redis_url: str) -> None:
    """A sender's clock may be wrong; nothing was reported after we heard of it."""
    stored(redis, issue(1, created=9_000))
    assert days_of(redis_url, issue(0)) == {1: 1}


def test_the_first_report_moves_with_the_creation(redis: Redis, redis_url: str) -> None:
    """When an item turns out to be older, so is its first report, everywhere it is counted."""
    cluster = clustered(redis, issue(2, 3), issue(3, 5))
    stored(redis, issue(3, 5, created=-20))
    for found in (
        days_of(redis_url, issue(0)),
        hash_of(redis_url, f"p:larder:cl:{cluster}:days"),
        hash_of(redis_url, "p:larder:days"),
    ):
        assert found == {-20: 3, 3: 2}
    shown = read(redis, cluster, NOW + 3 * DAY)
    assert shown["first_seen"] == NOW - 20 * DAY
    assert (shown["trend"][-1], shown["trend"][-24], sum(shown["trend"])) == (2, 3, 5)


DELIVERIES = st.lists(
    st.one_of(
        st.builds(issue, st.integers(0, 6), st.integers(1, 9), st.integers(-3, 6)),
        st.builds(event, st.integers(0, 6), st.sampled_from("abcde"), st.integers(-3, 6)),
    ),
    min_size=1,
    max_size=8,
)


def expected(deliveries: Sequence[Feedback]) -> dict[int, int]:
    """Reports by day, from the definition."""
    first = min(deliveries, key=lambda one: (one.received_at, -one.occurrences))
    created = min(one.created_at for one in deliveries)
    events: dict[str, int] = {}
    for one in deliveries:
        if one.occurrence_id:
            known = events.get(one.occurrence_id, one.received_at)
            events[one.occurrence_id] = min(known, one.received_at)
    days = Counter({min(created, first.received_at) // DAY - TODAY: first.occurrences})
    for day in range(7):
        until = NOW + (day + 1) * DAY
        said = max((o.occurrences for o in deliveries if o.received_at < until), default=0)
        seen = sum(at < until for at in events.values())
        days[day] += max(0, max(said, seen) - days.total())
    return {day: reports for day, reports in days.items() if reports}


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(DELIVERIES, st.data())
def test_deliveries_in_any_order_and_number_give_the_same_days(
    redis: Redis, redis_url: str, deliveries: list[Feedback], data: st.DataObject
) -> None:
    """For the item, its cluster and its project, also when it is in a cluster from early on."""
    repeated = deliveries + data.draw(st.lists(st.sampled_from(deliveries), max_size=4))
    shuffled = data.draw(st.permutations(repeated))
    early = data.draw(st.integers(1, len(shuffled)))
    command(redis_url, "FLUSHALL")
    ProjectStore(redis).put(Project(id="larder", name="Larder"), new=True)
    cluster = clustered(redis, *shuffled[:early])
    FeedbackStore(redis).store("larder", [(one, "raw") for one in shuffled[early:]])
    days = expected(deliveries)
    assert days_of(redis_url, deliveries[0]) == days
    assert hash_of(redis_url, f"p:larder:cl:{cluster}:days") == days
    assert hash_of(redis_url, "p:larder:days") == days
    assert read(redis, cluster)["reports"] == sum(days.values())


def test_a_redelivery_to_a_cluster_changes_nothing(redis: Redis, redis_url: str) -> None:
    """Every key stays as it was, also that of the cluster's rating."""
    deliveries = [issue(1, 3), event(2, "a"), issue(3, 6, severity="error")]
    clustered(redis, *deliveries)
    before = content(redis_url)
    stored(redis, *deliveries, *deliveries[::-1])
    assert content(redis_url) == before


def test_a_trend_is_the_last_days(redis: Redis) -> None:
    """Oldest first, today last; what is older or was not reported is not in it."""
    cluster = clustered(
        redis,
        *(
            feedback(external_id=f"{ago}", created_at=int(NOW - ago * DAY), received_at=NOW)
            for ago in (0, 0.5, 29, 30)
        ),
    )
    assert read(redis, cluster)["trend"] == [1, *[0] * 27, 1, 1]
    clusters = ClusterList(redis)
    assert clusters.trend("larder", 30, NOW) == [1, *[0] * 27, 1, 1]
    assert clusters.trend("larder", 90, NOW) == [*[0] * 59, 1, 1, *[0] * 27, 1, 1]
    assert clusters.trend("larder", 30, NOW + DAY) == [*[0] * 27, 1, 1, 0]
    assert clusters.trend("nobody", 30, NOW) is None
