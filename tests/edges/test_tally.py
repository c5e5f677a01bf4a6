import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.cluster_list import ClusterList
from soulcaster.edges.cluster_store import ClusterStore
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.project import Project
from tests.edges.clusters import clustered, into, joined, read, stored
from tests.edges.lua import call
from tests.edges.servers import command, everything
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
DAY = 24 * 60 * 60 * 1000

STATES = st.builds(
    lambda n, source, later, **given: feedback(
        external_id=f"{source}{n}",
        source=source,
        version=NOW + later,
        received_at=NOW + later,
        created_at=NOW - later,
        **given,
    ),
    st.integers(1, 4),
    st.sampled_from(["github", "reddit", "sentry", "standard"]),
    st.integers(0, 4).map(lambda day: day * DAY),
    author=st.sampled_from([None, "ada", "Ada", "grace"]),
    severity=st.sampled_from([None, "info", "error", "fatal"]),
    occurrences=st.integers(1, 5),
)


def recounted(url: str, cluster: str) -> dict[str, Any]:
    """What a cluster adds up to, from its items one by one."""
    counts: Counter[str] = Counter()
    reporters: Counter[str] = Counter()
    days: Counter[str] = Counter()
    ids = command(url, "ZRANGE", f"p:larder:cl:{cluster}:items", 0, -1)
    for identifier in ids:
        wanted = ("source", "severity", "author", "days", "reports")
        item = command(url, "HMGET", f"p:larder:fb:{identifier}", *wanted)
        source, severity, author, by_day, reports = item
        counts[f"source:{source}"] += 1
        counts["reports"] += int(reports)
        if severity:
            counts[f"severity:{severity}"] += 1
        reporters[author or identifier] += 1
        days.update(json.loads(by_day))
    return {"counts": dict(counts), "reporters": dict(reporters), "days": dict(days)}


def kept(url: str, cluster: str) -> dict[str, Any]:
    """What is kept of a cluster's tallies."""

    def numbers(key: str) -> dict[str, int]:
        flat = command(url, "HGETALL", key)
        return {
            name: int(value)
            for name, value in zip(flat[::2], flat[1::2], strict=True)
            if key.count(":") > 3 or name == "reports" or name.startswith(("source:", "severity:"))
        }

    key = f"p:larder:cl:{cluster}"
    return {
        "counts": numbers(key),
        "reporters": numbers(f"{key}:reporters"),
        "days": numbers(f"{key}:days"),
    }


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(STATES, min_size=1, max_size=6), st.lists(STATES, max_size=8))
def test_tallies_are_what_the_items_add_up_to(
    redis: Redis, redis_url: str, first: list[Feedback], then: list[Feedback]
) -> None:
    """Whatever comes in before and after clustering, and however items change meanwhile."""
    command(redis_url, "FLUSHALL")
    ProjectStore(redis).put(Project(id="larder", name="Larder"), new=True)
    cluster = clustered(redis, *first)
    for state in then:
        stored(redis, state)
    assert kept(redis_url, cluster) == recounted(redis_url, cluster)


def test_what_was_added_can_be_taken_away(redis: Redis, redis_url: str) -> None:
    """Everything is as it was, with no zeros left behind."""
    stored(redis, feedback(), feedback(external_id="2", source="sentry", severity="fatal"))
    before = everything(redis_url)
    body = "for _, id in ipairs(cjson.decode(ARGV[1])) do tally('p:larder:', 'c', id, %d) end"
    items = [feedback().id, feedback(external_id="2", source="sentry").id]
    call(redis_url, "tally", body % 1, items)
    assert command(redis_url, "HGET", "p:larder:cl:c", "reports") == "2"
    call(redis_url, "tally", body % -1, items[::-1])
    assert everything(redis_url) == before


def test_who_counts_as_a_reporter(redis: Redis) -> None:
    """A name once in each kind of source, in any case; who has none is somebody else each time; an
    error that a program reports counts once, however often it occurred.
    """
    given: list[dict[str, Any]] = [
        {"author": "ada"},
        {"author": "Ada"},
        {"author": "ada", "source": "reddit"},
        {"author": None},
        {"author": None},
        {"author": None, "source": "sentry", "occurrences": 900},
    ]
    cluster = clustered(
        redis, *(feedback(external_id=f"{n}", **one) for n, one in enumerate(given))
    )
    shown = read(redis, cluster)
    assert (shown["reporters"], shown["size"], shown["reports"]) == (5, 6, 905)


def test_a_cluster_shows_the_worst_that_is_in_it(redis: Redis) -> None:
    """Also when an item becomes worse, or turns out to be less bad."""
    cluster = clustered(redis, feedback(), feedback(external_id="2", severity="info"))
    assert read(redis, cluster)["severity"] == "info"
    for later, severity in enumerate(("fatal", "warning", None), 1):
        stored(redis, feedback(severity=severity, version=NOW + later))
        assert read(redis, cluster)["severity"] == (severity or "info")


def test_a_list_is_in_the_order_of_what_was_stored_last(redis: Redis, redis_url: str) -> None:
    """New items, growth and an earlier creation move a cluster in every list."""
    cluster = clustered(redis, feedback(source="sentry", author=None))
    before = read(redis, cluster)
    stored(redis, feedback(source="sentry", author=None, occurrences=50, version=NOW + 1))
    grown = read(redis, cluster)
    assert grown["impact"]["score"] > before["impact"]["score"]
    joined(redis, cluster, feedback(external_id="2", created_at=NOW + 9))
    shown = read(redis, cluster)
    assert (shown["last_seen"], shown["size"]) == (NOW + 9, 2)
    assert shown["impact"]["score"] > grown["impact"]["score"]
    for index, value in (
        ("cls", NOW + 9),
        ("cls:size", 2),
        ("cls:impact", round(shown["impact"]["score"] * 10)),
    ):
        for suffix in ("", ":open"):
            assert command(redis_url, "ZSCORE", f"p:larder:{index}{suffix}", cluster) == str(value)


def test_a_delivery_that_waited_does_not_turn_time_back(redis: Redis) -> None:
    """A rating made later stays as of then."""
    cluster = clustered(redis, feedback(), now=NOW + 40 * DAY)
    before = read(redis, cluster)["impact"]
    stored(redis, feedback(severity="error", version=NOW + 1, received_at=NOW + DAY))
    after = read(redis, cluster)["impact"]
    assert after["score"] > before["score"]
    assert "no report for 40 days" in after["reason"]


# Ratings that have become old


def ranked(redis: Redis, now: int, limit: int = 500) -> tuple[str, int, bool] | None:
    """What a run at ``now`` rates, of ratings that are older than a day."""
    found = ClusterList(redis).rank_due(now, now - DAY, limit)
    return (found.project, found.clusters, found.more) if found else None


def test_old_ratings_are_made_anew(redis: Redis) -> None:
    """When they are due, once, and then they are of that moment."""
    cluster = clustered(redis, feedback())
    fresh = read(redis, cluster)["impact"]
    assert ranked(redis, NOW + DAY - 1) is None
    assert ranked(redis, NOW + 20 * DAY) == ("larder", 1, False)
    assert ranked(redis, NOW + 20 * DAY) is None
    older = read(redis, cluster)["impact"]
    assert older["score"] < fresh["score"]
    assert older["reason"] == "1 person, no report for 20 days"


def test_a_cluster_without_reports_is_left_alone(redis: Redis) -> None:
    """After 60 days its rating hardly changes, until it is reported again."""
    cluster = clustered(redis, feedback())
    assert ranked(redis, NOW + 59 * DAY) == ("larder", 1, False)
    assert ranked(redis, NOW + 61 * DAY) == ("larder", 1, False)
    assert ranked(redis, NOW + 70 * DAY) is None
    again = NOW + 80 * DAY
    joined(
        redis,
        cluster,
        feedback(external_id="2", created_at=again, received_at=again),
        now=again,
    )
    assert ranked(redis, again + 2 * DAY) == ("larder", 1, False)


def test_ratings_are_made_a_project_at_a_time(redis: Redis) -> None:
    """No more than asked for, and it is said whether there is more anywhere."""
    for n in range(3):
        clustered(redis, feedback(external_id=f"{n}"), name=f"n{n}")
    ProjectStore(redis).put(Project(id="attic", name="Attic"), new=True)
    FeedbackStore(redis).store("attic", [(feedback(project="attic"), "raw")])
    store = ClusterStore(redis)
    claim = store.claim("attic", "a", 60_000, 5, NOW)
    assert claim is not None
    store.commit(claim, into(claim, "cl_attic_one"), [], [], NOW, NOW)
    later = NOW + 2 * DAY
    assert ranked(redis, later, 2) == ("attic", 1, True)
    assert ranked(redis, later, 2) == ("larder", 2, True)
    assert ranked(redis, later, 2) == ("larder", 1, False)
    assert ranked(redis, later, 2) is None
