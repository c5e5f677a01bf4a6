from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.cluster_store import ClusterStore
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.project import Project
from soulcaster.rules.readings import About
from tests.edges.clusters import clustered, content, read
from tests.edges.readings import HOUR, ITEM, comment, moved, settled, shown, told, withdrawn
from tests.edges.servers import command
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
DAY = 24 * HOUR


def named(name: str, **given: Any) -> Feedback:
    """The item as it is called at its source by then."""
    return feedback(external_id=name, **given)


SECOND, THIRD = named("2"), named("3")


def stays(redis: Redis) -> None:
    """There is one item, called what it was called first."""
    page = FeedbackStore(redis).page("larder", "", 5)
    assert page is not None
    assert [item["id"] for item in page.items] == [ITEM.id]
    assert page.total == 1


def test_an_item_stays_the_same_one(redis: Redis) -> None:
    """In its cluster, with what is said of it under its new name and the one after that."""
    cluster = clustered(redis, ITEM)
    told(redis, moved(SECOND.id), moved(THIRD.id, SECOND.id))
    assert told(redis, named("2", title="Elsewhere", version=NOW + 1)) == 0
    told(redis, comment(about=THIRD.id), settled(about=SECOND.id))
    stays(redis)
    found = shown(redis)
    assert (found["title"], found["external_id"], found["cluster"]) == ("Elsewhere", "2", cluster)
    assert (found["open"], found["evidence_count"]) == (False, 1)
    told(redis, withdrawn(THIRD.id))
    assert read(redis, cluster)["size"] == 0


def test_what_came_under_the_new_name_is_taken_over(redis: Redis, redis_url: str) -> None:
    """All of it; the item that it made is gone, and so is to be its vector."""
    cluster = clustered(redis, ITEM, named("2", occurrences=5, occurrence_id="e2"))
    told(redis, comment(about=SECOND.id), settled(about=SECOND.id))
    told(redis, moved(SECOND.id))
    stays(redis)
    assert read(redis, cluster)["size"] == 1
    found = shown(redis)
    assert (found["occurrences"], found["open"], found["evidence_count"]) == (6, False, 1)
    claim = ClusterStore(redis).claim("larder", "a", 60_000, 5, NOW)
    assert claim is not None
    assert claim.gone == (SECOND.id,)
    assert command(redis_url, "EXISTS", f"p:larder:fb:{SECOND.id}") == 0


def test_two_that_contradict_each_other_do_no_harm(redis: Redis) -> None:
    """Of two origins of one name the first that is told counts, and nothing moves to itself."""
    told(redis, ITEM, moved(SECOND.id), moved(SECOND.id, THIRD.id), moved(ITEM.id, SECOND.id))
    told(redis, moved(ITEM.id), SECOND)
    stays(redis)


def test_what_was_withdrawn_under_its_new_name_is_gone(redis: Redis, redis_url: str) -> None:
    """Whichever is told first."""
    for order in ((ITEM, withdrawn(SECOND.id), moved(SECOND.id)), (moved(SECOND.id), ITEM)):
        told(redis, *order, withdrawn(SECOND.id), SECOND)
        page = FeedbackStore(redis).page("larder", "", 5)
        assert page is not None
        assert page.items == []
        assert command(redis_url, "SMEMBERS", "p:larder:withdrawn") == [ITEM.id]
        command(redis_url, "DEL", "p:larder:withdrawn", "p:larder:moved")


NAMES = (ITEM.id, SECOND.id, THIRD.id)
DAYS = st.integers(0, 4).map(lambda day: NOW + day * DAY)
SAID = st.one_of(
    st.builds(
        lambda name, at, count, event, title: named(
            name,
            version=at,
            received_at=at,
            created_at=at,
            occurrences=count,
            occurrence_id=event,
            title=title,
        ),
        *(st.sampled_from("123").map(lambda n: "issue:1" if n == "1" else n), DAYS),
        *(st.integers(1, 4), st.sampled_from([None, "a", "b"]), st.sampled_from("AB")),
    ),
    st.builds(
        lambda name, at, author, gone: comment(
            about=name, id=f"c{at}", at=at, received_at=at, author=author, gone=gone
        ),
        *(st.sampled_from(NAMES), DAYS, st.sampled_from(["ada", "grace"]), st.booleans()),
    ),
    st.builds(lambda name, at: settled(at, name), st.sampled_from(NAMES), DAYS),
    st.sampled_from(NAMES).map(withdrawn),
)


def told_in_the_end(url: str) -> dict[str, Any]:
    """All that Redis holds, but for what says when something came, or that it is to be done."""
    passing = ("gone", "sys:pending", "intake:")
    held = {key: is_ for key, is_ in content(url).items() if not any(p in key for p in passing)}
    for key, value in held.items():
        if key.endswith(":pending"):
            held[key] = sorted(value[::2])
        if key.endswith(":counts"):
            held[key] = {name: count for name, count in value.items() if count != "0"}
        for field in ("received", "heard", "event_at"):
            if isinstance(value, dict):
                value.pop(field, None)
    return {key: is_ for key, is_ in held.items() if is_}


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(SAID, min_size=1, max_size=8), st.sampled_from([1, 2]), st.data())
def test_in_any_order_it_comes_to_the_same(
    redis: Redis, redis_url: str, said: list[Feedback | About], steps: int, data: st.DataObject
) -> None:
    """Items, what is said of them, moves and deletions, each some times."""
    moves = [moved(SECOND.id), moved(THIRD.id, SECOND.id)][:steps]
    told_of = [*moves, *said]
    repeated = told_of + data.draw(st.lists(st.sampled_from(told_of), max_size=3))
    ends = []
    for order in (told_of, data.draw(st.permutations(repeated)), told_of[::-1]):
        command(redis_url, "FLUSHALL")
        ProjectStore(redis).put(Project(id="larder", name="Larder"), new=True)
        for one in order:
            told(redis, one)
        ends.append(told_in_the_end(redis_url))
    assert ends[0] == ends[1] == ends[2]
