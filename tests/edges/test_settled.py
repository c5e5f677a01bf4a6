import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.cluster_list import ClusterList
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.project import Project
from soulcaster.rules.readings import Settled
from tests.edges.clusters import clustered, content, read
from tests.edges.readings import HOUR, ITEM, settled, shown, told
from tests.edges.servers import command
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
WAITS = f"p:larder:settled:{ITEM.id}"


def test_an_item_is_settled(redis: Redis) -> None:
    """From then on, until it is opened again later; what is older than that says nothing."""
    told(redis, ITEM, settled())
    assert not shown(redis)["open"]
    told(redis, feedback(version=NOW + 2 * HOUR))
    assert shown(redis)["open"]
    told(redis, settled())
    assert shown(redis)["open"]


def test_what_is_settled_at_the_same_moment_is_settled(redis: Redis) -> None:
    """A source says that last."""
    told(redis, ITEM, settled(NOW))
    assert not shown(redis)["open"]


def test_nothing_is_made_of_what_was_never_reported(redis: Redis, redis_url: str) -> None:
    """It is remembered for thirty days, the latest of it, and then told of the item."""
    assert told(redis, settled(NOW + 2 * HOUR), settled(NOW + HOUR)) == 0
    assert FeedbackStore(redis).read("larder", ITEM.id) is None
    assert command(redis_url, "GET", WAITS) == str(NOW + 2 * HOUR)
    assert 29 * 86_400 < command(redis_url, "TTL", WAITS) <= 30 * 86_400
    told(redis, feedback(version=NOW + HOUR))
    assert not shown(redis)["open"]
    assert command(redis_url, "EXISTS", WAITS) == 0


def test_settling_says_nothing_of_a_resolved_cluster(redis: Redis) -> None:
    """It opens none."""
    cluster = clustered(redis, ITEM)
    ClusterList(redis).set_status("larder", cluster, "resolved", "ada", NOW + 1)
    told(redis, settled(NOW + 2 * HOUR))
    assert read(redis, cluster)["status"] == "resolved"


SAID = st.one_of(
    st.builds(settled, st.integers(0, 5).map(lambda hour: NOW + hour * HOUR)),
    st.builds(
        lambda hour, is_open: feedback(version=NOW + hour * HOUR, open=is_open),
        st.integers(0, 5),
        st.booleans(),
    ),
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(SAID, min_size=1, max_size=6), st.data())
def test_in_any_order_it_comes_to_the_same(
    redis: Redis, redis_url: str, said: list[Feedback | Settled], data: st.DataObject
) -> None:
    """Of what the item says of itself and what is said of it the latest counts."""
    repeated = said + data.draw(st.lists(st.sampled_from(said), max_size=3))
    ends = []
    for order in (said, data.draw(st.permutations(repeated)), said[::-1]):
        command(redis_url, "FLUSHALL")
        ProjectStore(redis).put(Project(id="larder", name="Larder"), new=True)
        for one in order:
            told(redis, one)
        ends.append(content(redis_url))
        if item := ends[-1].get(f"p:larder:fb:{ITEM.id}"):
            closed = [s.at if isinstance(s, Settled) else s.version * (not s.open) for s in said]
            opened = [s.version for s in said if isinstance(s, Feedback) and s.open]
            assert item["open"] == ("1" if max(opened, default=0) > max(closed) else "0")
    assert ends[0] == ends[1] == ends[2]
