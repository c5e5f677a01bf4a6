from dataclasses import replace

import pytest

from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from soulcaster.rules.source import Source
from tests.rules.samples import feedback, source


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


def named(name: str, kind: str = "github", **given: object) -> Source:
    """A source of ``larder`` with that name."""
    return replace(source(kind, "s3cret"), id=f"src_larder_{name}", name=name, config=dict(given))


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


def test_a_source_needs_its_project(store: ProjectStore) -> None:
    """A source of no project is not stored."""
    assert not store.put_source(named("a"))
    assert store.sources_in("larder") is None
    store.put(LARDER, new=True)
    assert store.sources_in("larder") == []


def test_sources_are_found(store: ProjectStore) -> None:
    """By id in the order asked for, with their secrets, and None where there is none."""
    store.put(LARDER, new=True)
    one, two = named("one"), named("two", "standard")
    assert store.put_source(two)
    assert store.put_source(one)
    assert store.sources_in("larder") == [one, two]
    wanted = [
        ("larder", two.id),
        ("other", one.id),
        ("larder", "src_larder_no"),
        ("larder", one.id),
    ]
    assert store.sources(wanted) == [two, None, None, one]
    assert store.sources([]) == []


def test_a_source_is_replaced(store: ProjectStore) -> None:
    """One of the same id takes the place of the old one, its secrets too."""
    store.put(LARDER, new=True)
    store.put_source(named("one"))
    rotated = replace(named("one"), secrets=("old", "new"))
    store.put_source(rotated)
    assert store.sources_in("larder") == [rotated]


def test_only_sources_with_something_to_poll_are_polled(store: ProjectStore) -> None:
    """With their project and how far they were polled; a source can stop being polled."""
    store.put(LARDER, new=True)
    reddit = named("reddit", "reddit", subreddits=["larder"])
    issues = named("issues", "github", poll=True)
    for each in (reddit, issues, named("plain")):
        store.put_source(each)
    assert store.polled() == [(issues, "", LARDER), (reddit, "", LARDER)]
    store.save_cursors([(reddit, "1700000000000"), (issues, "5")])
    store.put_source(replace(issues, config={}))
    assert store.polled() == [(reddit, "1700000000000", LARDER)]


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
