import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.cluster_list import ClusterList
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.plan_store import PlanStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from soulcaster.rules.readings import Evidence
from tests.edges.clusters import clustered, content, joined, read
from tests.edges.readings import HOUR, ITEM, comment, shown, told
from tests.edges.servers import command
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
DAY = 24 * HOUR
KEY = f"p:larder:fb:{ITEM.id}:evidence"


def days(url: str, key: str = "p:larder:days") -> dict[int, int]:
    """Reports by day, counted from ``NOW``."""
    flat = command(url, "HGETALL", key)
    counted = zip(flat[::2], flat[1::2], strict=True)
    return {int(day) - NOW // DAY: int(reports) for day, reports in counted}


def test_evidence_is_shown_with_its_item(redis: Redis) -> None:
    """The oldest first, with all that people want to know of it; lists say how much there is."""
    late, early = comment(), comment(id="c2", at=NOW + 1, reports=False, author=None, url=None)
    told(redis, ITEM, late, early)
    assert shown(redis)["evidence"] == [
        {"id": "c2", "author": None, "body": late.body, "url": None, "at": NOW + 1}
        | {"reports": False},
        {"id": "c1", "author": "grace", "body": late.body, "url": late.url, "at": late.at}
        | {"reports": True},
    ]
    page = FeedbackStore(redis).page("larder", "", 5)
    assert page is not None
    assert page.items[0]["evidence_count"] == 2
    told(redis, feedback(external_id="2"))
    assert shown(redis, feedback(external_id="2").id)["evidence_count"] == 0


def test_a_cluster_shows_how_much_evidence_its_items_have(redis: Redis) -> None:
    """Of each."""
    cluster = clustered(redis, ITEM)
    told(redis, comment())
    assert [one["evidence_count"] for one in read(redis, cluster)["feedback"]] == [1]


def test_who_has_the_problem_too_is_a_report(redis: Redis, redis_url: str) -> None:
    """On the day of the comment, of the item, its cluster and its project; a maintainer's answer is
    none.
    """
    cluster = clustered(redis, ITEM)
    told(
        redis,
        comment(at=NOW + 2 * DAY, received_at=NOW + 2 * DAY),
        comment(id="c2", author="linus", reports=False),
    )
    assert shown(redis)["occurrences"] == 2
    assert days(redis_url) == days(redis_url, f"p:larder:cl:{cluster}:days") == {0: 1, 2: 1}
    found = read(redis, cluster)
    assert (found["size"], found["reporters"], found["reports"]) == (1, 2, 2)


def test_a_person_is_one_reporter_of_an_item(redis: Redis) -> None:
    """However often they say so, in any letter case, and if they reported it at first; in another
    item of the cluster they are the same person. Who gives no name is somebody else each time.
    """
    cluster = clustered(redis, ITEM)
    told(redis, comment(author="Ada"), comment(id="c2", author="Grace"), comment(id="c3"))
    assert read(redis, cluster)["reporters"] == 2
    assert shown(redis)["occurrences"] == 4
    joined(redis, cluster, feedback(external_id="2", author="GRACE"))
    assert read(redis, cluster)["reporters"] == 2
    told(redis, comment(id="c4", author=None), comment(id="c5", author=None))
    assert read(redis, cluster)["reporters"] == 4


def test_who_plans_and_fixes_is_told(redis: Redis) -> None:
    """The first five reports in an item's evidence, the oldest first; no answers or deletions."""
    project = Project(id="larder", name="Larder", repository="acme/larder")
    ProjectStore(redis).put(project, new=False)
    cluster = clustered(redis, feedback(external_id="2", created_at=NOW - 1), ITEM)
    told(redis, *(comment(id=f"c{n}", at=NOW + n, body=f"Me {n}") for n in range(8)))
    told(redis, comment(id="c2", version=NOW + DAY, gone=True))
    told(redis, comment(id="c0", version=NOW + DAY, at=NOW, reports=False, body="No."))
    said = [f"Me {n}" for n in (1, 3, 4, 5, 6)]
    assert PlanStore(redis).material(cluster, 5).said == (tuple(said), ())
    jobs = JobStore(redis)
    brief = jobs.brief(jobs.ask(cluster, NOW, "ada").id, 5)
    assert brief is not None
    assert [doc["said"] for doc in brief.feedback] == [said, []]


def test_a_report_from_the_future_counts_when_it_came(redis: Redis, redis_url: str) -> None:
    """A sender's clock may be wrong."""
    told(redis, ITEM, comment(at=NOW + 9_000 * DAY))
    assert days(redis_url) == {0: 2}


def test_an_edit_counts_once(redis: Redis, redis_url: str) -> None:
    """What was said last is kept, and it is the same report."""
    told(redis, ITEM, comment(version=2, body="new"), comment(version=1, body="old"))
    (said,) = shown(redis)["evidence"]
    assert said["body"] == "new"
    assert days(redis_url) == {0: 2}


def test_what_was_deleted_counts_no_more(redis: Redis, redis_url: str) -> None:
    """Nothing of it is kept or counted, also when the deletion comes first."""
    cluster = clustered(redis, ITEM)
    before = content(redis_url)
    gone = comment(version=NOW + DAY, gone=True)
    told(redis, comment(), gone)
    after = content(redis_url)
    assert "happens" not in json.dumps(after)
    assert "grace" not in json.dumps(after)
    for key in (f"p:larder:cl:{cluster}:reporters", f"p:larder:cl:{cluster}:days"):
        assert after[key] == before[key]
    command(redis_url, "DEL", KEY)
    told(redis, gone, comment())
    assert content(redis_url) == after
    assert (shown(redis)["evidence"], shown(redis)["evidence_count"]) == ([], 0)


def test_evidence_waits_for_its_item(redis: Redis, redis_url: str) -> None:
    """For thirty days; it makes no item, and with it nothing is forgotten."""
    assert told(redis, comment()) == 0
    assert FeedbackStore(redis).read("larder", ITEM.id) is None
    assert 29 * 86_400 < command(redis_url, "TTL", KEY) <= 30 * 86_400
    assert told(redis, ITEM) == 1
    assert command(redis_url, "TTL", KEY) == -1
    assert (shown(redis)["occurrences"], shown(redis)["evidence_count"]) == (2, 1)
    told(redis, comment(id="c2"))
    assert command(redis_url, "TTL", KEY) == -1


def test_a_long_comment_is_cut(redis: Redis) -> None:
    """After 2,000 characters, whole ones."""
    told(redis, ITEM, comment(body="🥫" * 3_000))
    assert shown(redis)["evidence"][0]["body"] == "🥫" * 2_000


@pytest.mark.parametrize("reverse", [False, True])
def test_of_many_those_that_were_said_first_are_kept(
    redis: Redis, redis_url: str, reverse: bool
) -> None:
    """200 of an item, the same ones whatever order they come in; of one moment by their ids. Those
    that were deleted keep their places.
    """
    said = [comment(id=f"c{n:03}", at=NOW + n // 2, author=f"a{n}") for n in range(203)]
    said[5] = comment(id="c005", at=NOW + 2, gone=True)
    told(redis, ITEM)
    for one in said[::-1] if reverse else said:
        told(redis, one)
    assert sorted(command(redis_url, "HKEYS", KEY)) == [f"c{n:03}" for n in range(200)]
    assert (shown(redis)["evidence_count"], shown(redis)["occurrences"]) == (199, 200)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, "open"),
        ({"reports": False}, "resolved"),
        ({"gone": True}, "resolved"),
        ({"received_at": NOW + HOUR}, "resolved"),
    ],
)
def test_a_fresh_report_opens_a_resolved_cluster(
    redis: Redis, given: dict[str, Any], status: str
) -> None:
    """Like any other; not what was received before, answers, or deletions."""
    cluster = clustered(redis, ITEM)
    ClusterList(redis).set_status("larder", cluster, "resolved", "ada", NOW + HOUR)
    told(redis, comment(**{"received_at": NOW + 2 * HOUR, **given}))
    assert read(redis, cluster)["status"] == status


def test_an_edit_of_what_was_said_before_opens_nothing(redis: Redis) -> None:
    """It was heard of when it first came."""
    cluster = clustered(redis, ITEM)
    told(redis, comment())
    ClusterList(redis).set_status("larder", cluster, "resolved", "ada", NOW + 2 * HOUR)
    later = NOW + 3 * HOUR
    told(redis, comment(version=later, received_at=later, body="Still."))
    assert read(redis, cluster)["status"] == "resolved"


SAID = st.builds(
    lambda n, version, author, reports, gone: comment(
        id=f"c{n}",
        at=NOW + n * DAY,
        version=version,
        author=author,
        reports=reports,
        gone=gone,
        received_at=NOW + (n + version) * DAY,
    ),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["ada", "Grace", "grace", None]),
    st.booleans(),
    st.sampled_from([False, False, True]),
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(SAID, min_size=1, max_size=6), st.data())
def test_in_any_order_it_comes_to_the_same(
    redis: Redis, redis_url: str, said: list[Evidence], data: st.DataObject
) -> None:
    """With the item before, between or after it, in a cluster or not yet, and each some times."""
    repeated = said + data.draw(st.lists(st.sampled_from(said), max_size=3))
    ends = []
    for order in (said, data.draw(st.permutations(repeated)), said[::-1]):
        first = data.draw(st.integers(0, len(order)))
        command(redis_url, "FLUSHALL")
        ProjectStore(redis).put(Project(id="larder", name="Larder"), new=True)
        told(redis, *order[:first])
        clustered(redis, ITEM)
        told(redis, *order[first:])
        # Until then it is rated as of what came last.
        ClusterList(redis).rank_due(NOW + 20 * DAY, NOW + 20 * DAY, 5)
        ends.append(content(redis_url))
    assert ends[0] == ends[1] == ends[2]
