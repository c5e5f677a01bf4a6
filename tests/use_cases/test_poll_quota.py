"""What is polled when a project has no room."""

from dataclasses import replace

import pytest

from soulcaster.edges.github import GitHub
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.queues import Queue
from soulcaster.edges.reddit import Reddit
from soulcaster.edges.redis import Redis
from soulcaster.edges.source_store import SourceStore
from soulcaster.rules.project import Project
from soulcaster.use_cases.poll import poll
from tests.edges.servers import command
from tests.rules.samples import NOW, source

LARDER = Project(id="larder", name="Larder", repository="acme/larder")
REDDIT = source("reddit", subreddits=["larder"])


@pytest.mark.parametrize("quota", ["items_per_day", "pending_items"])
def test_a_project_without_room_is_not_polled(redis: Redis, redis_url: str, quota: str) -> None:
    """Nothing is fetched, so that it is fetched when there is room; the source says why."""
    ProjectStore(redis).put(replace(LARDER, **{quota: 2}), new=True)  # type: ignore[arg-type]
    store = SourceStore(redis)
    for each in (REDDIT, source("github", poll=True)):
        assert store.make(each) == "made"
    store.save_cursors([(REDDIT, "5")])
    command(redis_url, "HSET", "p:larder:intake:2025-01-01", "items", "2")
    command(redis_url, "ZADD", "p:larder:pending", "1", "fb_larder_a", "2", "fb_larder_b")
    assert (
        poll(
            sources=store,
            queue=_unused(Queue),
            github=lambda: _unused(GitHub),
            reddit=lambda: _unused(Reddit),
            now=NOW,
            time_left=lambda: True,
        )
        == {}
    )
    assert {one.source.kind: one.cursor for one in store.polled(NOW)} == {
        "reddit": "5",
        "github": "",
    }
    for kind in ("reddit", "github"):
        found = store.read("larder", f"src_larder_{kind}")
        assert found is not None
        assert found.health.last_error_at == NOW
        assert "2" in (found.health.last_error or "")


def _unused[T](kind: type[T]) -> T:
    return kind.__new__(kind)
