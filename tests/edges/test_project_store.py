from dataclasses import replace

import pytest

from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import Intake, ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.edges.servers import command
from tests.rules.samples import feedback


@pytest.fixture
def store(redis: Redis) -> ProjectStore:
    return ProjectStore(redis)


LARDER = Project(
    id="larder",
    name="Lärder",
    repository="acme/larder",
    base="dev",
    publishes=["proven"],  # a list, as JSON gives it back
)


def test_a_project_is_made_once(store: ProjectStore) -> None:
    """Making it again changes nothing and says so."""
    assert store.put(LARDER, new=True)
    assert not store.put(replace(LARDER, name="Other"), new=True)
    assert store.all() == [LARDER]


def test_a_project_is_changed_only_when_there(store: ProjectStore) -> None:
    """Changing what is not there makes nothing."""
    assert not store.put(LARDER, new=False)
    assert store.all() == []
    store.put(LARDER, new=True)
    assert store.put(replace(LARDER, base="main"), new=False)
    assert store.all() == [replace(LARDER, base="main")]


def test_projects_come_by_id(store: ProjectStore) -> None:
    """However they were made."""
    for name in ("b", "a-2", "c", "a"):
        store.put(Project(id=name, name=name), new=True)
    assert [project.id for project in store.all()] == ["a", "a-2", "b", "c"]


def test_one_project_is_read(store: ProjectStore) -> None:
    """With all its settings; None where there is none."""
    assert store.read("larder") is None
    store.put(LARDER, new=True)
    assert store.read("larder") == LARDER
    assert store.read("lard") is None


def test_what_a_day_took_in(store: ProjectStore, redis: Redis, redis_server: str) -> None:
    """Counts of that day alone, items that wait, and the limits of both; None without a project."""
    assert store.intake("larder", "2025-01-01") is None
    store.put(replace(LARDER, items_per_day=7, pending_items=5), new=True)
    fresh = Intake(
        day="2025-01-01", items=0, refused=0, items_per_day=7, pending=0, pending_items=5
    )
    assert store.intake("larder", "2025-01-01") == fresh
    command(redis_server, "HSET", "p:larder:intake:2025-01-01", "items", "3", "refused", "2")
    command(redis_server, "ZADD", "p:larder:pending", "1", "fb_larder_a")
    counted = replace(fresh, items=3, refused=2, pending=1)
    assert store.intake("larder", "2025-01-01") == counted
    assert store.intake("larder", "2025-01-02") == replace(fresh, day="2025-01-02", pending=1)


def test_counters(store: ProjectStore, redis: Redis) -> None:
    """They count items, not deliveries; a project that is not there has none."""
    assert store.stats("larder") is None
    store.put(LARDER, new=True)
    empty = {"stored": 0, "clustered": 0, "pending": 0, "clusters": 0, "by_source": {}, "jobs": {}}
    assert store.stats("larder") == empty
    items = [feedback(external_id=str(n)) for n in range(3)] + [feedback(source="sentry")]
    for _ in range(2):
        FeedbackStore(redis).store("larder", [(item, "raw") for item in items])
    counted = {"stored": 4, "pending": 4, "by_source": {"github": 3, "sentry": 1}}
    assert store.stats("larder") == {**empty, **counted}
