"""Sources, their health and their cursors in Redis."""

from dataclasses import replace

import pytest

from soulcaster.edges import source_store
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.edges.source_store import Found, Health, Polled, SourceStore
from soulcaster.rules import built_in
from soulcaster.rules.project import Project
from soulcaster.rules.quota import Standing
from soulcaster.rules.source import Source
from tests.edges.servers import command, everything
from tests.rules.samples import NOW, source
from tests.support import sources

DAY = "2025-01-01"  # that NOW is in
HEALTHY = Health()
BUILT_IN = ["src_larder_api", "src_larder_file", "src_larder_form"]


@pytest.fixture
def store(redis: Redis) -> SourceStore:
    return SourceStore(redis)


def named(name: str, kind: str = "github", **given: object) -> Source:
    """A source of ``larder`` with that name."""
    return replace(source(kind, "s3cret"), id=f"src_larder_{name}", name=name, config=dict(given))


def known(store: SourceStore, identifier: str) -> Found:
    """A source that is there."""
    found = store.read("larder", identifier)
    assert found
    return found


def test_a_source_needs_its_project(store: SourceStore) -> None:
    """A source of no project is not stored, nor has one that is not there built-in sources."""
    assert store.make(named("a")) == "nowhere"
    assert store.sources_in("larder") is None
    assert store.read("larder", "src_larder_form") is None


def test_a_project_has_its_built_in_sources(store: SourceStore, project: Project) -> None:
    """Nothing is stored of them until somebody changes one; then the others are as they were."""
    found = store.sources_in("larder")
    assert found is not None
    assert [one.source.id for one in found] == BUILT_IN
    assert [(one.stored, one.health) for one in found] == [("", HEALTHY)] * 3
    off = replace(built_in.source("larder", "form"), enabled=False)
    assert store.change(known(store, off.id), off)
    assert known(store, off.id) == Found(off, off.to_json(), HEALTHY)
    assert [one.source.id for one in store.sources_in("larder") or ()] == BUILT_IN
    assert known(store, "src_larder_api").source.enabled


def test_sources_are_found(store: SourceStore, project: Project) -> None:
    """By id, with their secrets; those asked for by id in that order, None where there is none."""
    one, two = named("one"), named("two", "standard")
    assert store.make(two) == "made"
    assert store.make(one) == "made"
    found = store.sources_in("larder") or []
    assert [each.source for each in found[-2:]] == [one, two]
    assert known(store, "src_larder_one") == Found(one, one.to_json(), HEALTHY)
    assert store.read("larder", "src_larder_no") is None
    wanted = [
        ("larder", two.id),
        ("other", one.id),
        ("larder", "src_larder_no"),
        ("larder", one.id),
    ]
    assert store.sources(wanted) == [two, None, None, one]
    assert store.sources([]) == []


def test_a_source_is_made_once(store: SourceStore, project: Project) -> None:
    """A second one of the same id changes nothing and says so."""
    store.make(named("one"))
    assert store.make(named("one", "standard")) == "taken"
    assert known(store, "src_larder_one").source == named("one")


def test_a_project_has_so_many_sources(
    store: SourceStore, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than that is not made: their list is one answer."""
    monkeypatch.setattr(source_store, "MOST_SOURCES", 2)
    assert [store.make(named(name)) for name in "abc"] == ["made", "made", "full"]
    assert store.make(named("a")) == "taken"


def test_of_two_changes_none_is_lost(store: SourceStore, project: Project) -> None:
    """Whoever read it before the other wrote is told, and has written nothing."""
    store.make(named("one"))
    first = second = known(store, "src_larder_one")
    assert store.change(first, replace(first.source, enabled=False))
    assert not store.change(second, replace(second.source, per_minute=5))
    assert known(store, "src_larder_one").source == replace(named("one"), enabled=False)


@pytest.mark.parametrize("name", ["one", "form"])
def test_what_is_gone_is_not_changed(store: SourceStore, redis_url: str, name: str) -> None:
    """No source that was removed, and none of a project that is not there, comes to be by it."""
    missing = named(name)
    found = Found(missing, missing.to_json() if name == "one" else "", HEALTHY)
    before = everything(redis_url)
    assert not store.change(found, replace(missing, enabled=False))
    assert everything(redis_url) == before


def test_a_removed_source_leaves_nothing(
    store: SourceStore, project: Project, redis_server: str
) -> None:
    """Neither its health nor its cursor, and what comes late from it does not bring it back."""
    before = everything(redis_server)
    polled = named("one", "reddit", subreddits=["larder"])
    store.make(polled)
    store.save_cursors([(polled, "5")])
    store.polled_note(polled, NOW, "too busy")
    assert store.change(known(store, polled.id), None)
    assert everything(redis_server) == before
    store.save_cursors([(polled, "5")])
    store.polled_note(polled, NOW, "too busy")
    assert everything(redis_server) == before


def test_one_made_again_begins_anew(
    store: SourceStore, project: Project, redis_server: str
) -> None:
    """What was counted late for an earlier one of that id is not its own."""
    command(redis_server, "HSET", "p:larder:source:src_larder_one", "deliveries", "7")
    store.make(named("one"))
    assert known(store, "src_larder_one").health == HEALTHY


def test_health_is_what_was_noted(store: SourceStore, project: Project, redis_server: str) -> None:
    """In the list and of one source; a change of its settings leaves it as it is."""
    store.make(named("one"))
    noted = Health(
        deliveries=9,
        items=4,
        refused=2,
        last_delivery=NOW,
        last_error="the signature is wrong",
        last_error_at=NOW + 1,
    )
    fields = {name: str(getattr(noted, name)) for name in noted.__slots__}
    flat = [part for pair in fields.items() for part in pair]
    command(redis_server, "HSET", "p:larder:source:src_larder_one", *flat)
    assert known(store, "src_larder_one").health == noted
    store.change(known(store, "src_larder_one"), replace(named("one"), enabled=False))
    found = store.sources_in("larder") or []
    assert {each.source.name: each.health for each in found}["one"] == noted


def test_only_sources_with_something_to_poll_are_polled(
    store: SourceStore, redis: Redis, project: Project
) -> None:
    """With how far they were polled; one that is switched off or has nothing to poll is not."""
    reddit = named("reddit", "reddit", subreddits=["larder"])
    issues = named("issues", "github", poll=True)
    for each in (reddit, issues, named("plain")):
        sources.put(redis, each)
    of = (Project.from_json(project.to_json()), Standing(DAY, 0, 0, 50_000, 20_000))
    assert store.polled(NOW) == [Polled(issues, "", *of), Polled(reddit, "", *of)]
    store.save_cursors([(reddit, "1700000000000"), (issues, "5")])
    sources.put(redis, replace(issues, config={}))
    assert store.polled(NOW) == [Polled(reddit, "1700000000000", *of)]
    sources.put(redis, replace(reddit, enabled=False))
    assert store.polled(NOW) == []
    sources.put(redis, reddit)
    assert store.polled(NOW) == [Polled(reddit, "1700000000000", *of)]


def test_what_a_project_has_used_up_comes_along(
    store: SourceStore, redis: Redis, project: Project, redis_server: str
) -> None:
    """New items of the day that it is, items that wait, and the project's limits of both."""
    ProjectStore(redis).put(replace(project, items_per_day=9, pending_items=8), new=False)
    store.make(named("reddit", "reddit", subreddits=["larder"]))
    command(redis_server, "HSET", f"p:larder:intake:{DAY}", "items", "3")
    command(redis_server, "ZADD", "p:larder:pending", "1", "fb_larder_a", "2", "fb_larder_b")
    (polled,) = store.polled(NOW)
    assert polled.standing == Standing(DAY, 3, 2, 9, 8)
    (polled,) = store.polled(NOW + 24 * 60 * 60_000)
    assert polled.standing == Standing("2025-01-02", 0, 2, 9, 8)


def test_why_a_source_was_not_polled(store: SourceStore, project: Project) -> None:
    """It is noted, cut short, until the source was polled to its end again."""
    polled = named("reddit", "reddit", subreddits=["larder"])
    store.make(polled)
    store.polled_note(polled, NOW, "x" * 5_000)
    health = known(store, polled.id).health
    assert (health.last_error, health.last_error_at) == ("x" * 500, NOW)
    store.save_cursors([(polled, "5")])
    assert known(store, polled.id).health == HEALTHY
