"""What becomes of ratings as time passes."""

from datetime import UTC, datetime

from soulcaster.edges.clock import now_ms
from soulcaster.edges.cluster_list import ClusterList
from soulcaster.use_cases.rank import RATED_FOR_MS, rank_due
from tests.support import seeds, state
from tests.support.tap import Fault
from tests.support.world import World

HOUR = 60 * 60 * 1000


def reported(world: World, *titles: str) -> None:
    """Feedback of this moment, through the queue and into clusters."""
    now = datetime.now(UTC).isoformat()
    rows = [{"id": title, "title": title, "created_at": now} for title in titles]
    world.send("FeedbackQueue", *(seeds.delivery("standard", row) for row in rows))
    world.drain("FeedbackQueue")
    tick(world)


def tick(world: World, *, ahead_ms: int = 0) -> None:
    result = world.tick("ClusterFunction", ahead_ms=ahead_ms)
    assert result.error is None, result


def rated_at(world: World) -> list[int]:
    """When each cluster was rated, the earliest first."""
    scores = state.redis(world, "ZRANGE", "p:larder:cls:ranked", 0, -1, "WITHSCORES")
    return [int(score) for score in scores[1::2]]


def test_the_schedule_keeps_ratings_fresh(world: World) -> None:
    """After six hours, and not before; also when there is nothing to cluster."""
    seeds.project(world)
    reported(world, "The import loses the last line of a file")
    first = rated_at(world)
    assert len(first) == 1
    tick(world, ahead_ms=RATED_FOR_MS - HOUR)
    assert rated_at(world) == first
    tick(world, ahead_ms=RATED_FOR_MS + HOUR)
    assert rated_at(world)[0] >= first[0] + RATED_FOR_MS


def test_ratings_are_kept_fresh_when_clustering_fails(world: World) -> None:
    """A model that does not answer is no reason for old ratings; the failure still counts."""
    seeds.project(world)
    reported(world, "The import loses the last line of a file")
    first = rated_at(world)
    seeds.feedback(world, ["Dark mode can't be read on the shopping page"])
    with world.tap.faulty(Fault(400, system="gemini", lasting=True)):
        assert world.tick("ClusterFunction", ahead_ms=RATED_FOR_MS + HOUR).error is not None
    assert rated_at(world)[0] > first[0]


def test_it_stops_when_time_is_up(world: World) -> None:
    """What was not rated then is due for the next run, which does all of it."""
    seeds.project(world)
    reported(world, "The import loses the last line", "A recipe for pancakes, please")
    before = rated_at(world)
    assert len(before) == 2
    clusters = ClusterList(seeds.redis(world))
    later = now_ms() + RATED_FOR_MS + HOUR

    def run(*, go_on: bool) -> int:
        return rank_due(clusters=clusters, now=lambda: later, go_on=lambda: go_on)

    assert run(go_on=False) == 0
    assert rated_at(world) == before
    assert run(go_on=True) == 2
    assert rated_at(world) == [later, later]
    assert run(go_on=True) == 0
