"""One source's trouble is not another's."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import pytest

from soulcaster.edges.github import GitHub, GitHubError
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.queues import Queue
from soulcaster.edges.reddit import Reddit
from soulcaster.edges.source_store import SourceStore
from soulcaster.rules import ids
from soulcaster.rules.project import Project
from soulcaster.rules.source import Source
from soulcaster.use_cases.poll import poll
from tests.support import seeds, sources, state
from tests.support.tap import Fault
from tests.support.world import World

GITHUB, REDDIT = (ids.source_id(seeds.PROJECT, kind) for kind in ("github", "reddit"))


@pytest.fixture
def polled(world: World) -> Callable[[], Any]:
    """A project whose GitHub and whose Reddit have one item each; call it to poll them."""
    seeds.project(world, seeds.posts(world))

    def run() -> Any:
        result = world.tick("PollFunction")
        assert result.error is None, result.error
        return result.payload

    return run


def cursors(world: World) -> list[str]:
    """The sources whose cursor has been saved."""
    return sorted(state.redis(world, "HKEYS", f"p:{seeds.PROJECT}:cursors"))


def trouble(world: World, source: str) -> Any:
    """What was last wrong with a source."""
    return state.redis(world, "HGET", f"p:{seeds.PROJECT}:source:{source}", "last_error")


@pytest.mark.parametrize(
    ("fault", "fails", "works"),
    [
        (Fault(500, system="github", lasting=True), GITHUB, REDDIT),
        (Fault(404, system="github", lasting=True), GITHUB, REDDIT),
        (Fault(429, system="reddit", number=2), REDDIT, GITHUB),
    ],
    ids=["github down", "not installed", "reddit too busy"],
)
def test_a_source_that_fails_stops_no_other(
    world: World, polled: Callable[[], Any], fault: Fault, fails: str, works: str
) -> None:
    """Its cursor stays, so that the next run fetches what this one could not; until then it is
    noted what was wrong.
    """
    with world.tap.faulty(fault):
        assert polled() == {works: 1}
    assert cursors(world) == [works]
    assert (bool(trouble(world, fails)), trouble(world, works)) == (True, None)
    assert polled()[fails] == 1
    assert cursors(world) == [GITHUB, REDDIT]
    assert not trouble(world, fails)


def test_a_subreddit_that_is_private_stops_no_other(
    world: World, polled: Callable[[], Any]
) -> None:
    """It may be so for good: the others of its source are read on, and remembered as read."""
    config = {"subreddits": ["gone", seeds.SUBREDDIT]}
    source = Source(id=REDDIT, project=seeds.PROJECT, kind="reddit", name="reddit", config=config)
    sources.put(seeds.redis(world), source)
    with world.tap.faulty(Fault(403, system="reddit", number=2)):
        assert polled()[REDDIT] == 1
    assert cursors(world) == [GITHUB, REDDIT]
    assert "r/gone" in trouble(world, REDDIT)


class Nothing(GitHub):
    """It notes what was asked for and refuses it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def installation_token(self, owner_repo: str, permissions: Mapping[str, str]) -> NoReturn:
        """No token."""
        self.asked.append(owner_repo)
        raise GitHubError(404, "Not Found")


def test_the_longest_unread_come_first(world: World) -> None:
    """Those never read before all others; when time is short no more are begun, and those that
    failed wait until the others have had their turn.
    """
    redis = seeds.redis(world)
    store = SourceStore(redis)
    ProjectStore(redis).put(Project(id=seeds.PROJECT, name="Larder"), new=True)
    for name, cursor in (("recent", "3000"), ("old", "900"), ("never", ""), ("github", "9" * 13)):
        config = {"poll": True, "repository": f"acme/{name}"}
        source = Source(
            id=ids.source_id(seeds.PROJECT, name),
            project=seeds.PROJECT,
            kind="github",
            name=name,
            config=config,
        )
        assert store.make(source) == "made"
        if cursor:
            store.save_cursors([(source, cursor)])

    def asked(times: int) -> list[str]:
        left, nothing = iter([True] * times + [False]), Nothing()
        poll(
            sources=store,
            queue=_unused(Queue),
            github=lambda: nothing,
            reddit=lambda: _unused(Reddit),
            now=10**13,
            time_left=lambda: next(left),
        )
        return nothing.asked

    assert asked(0) == []
    assert asked(2) == ["acme/never", "acme/old"]
    assert asked(2) == ["acme/recent", "acme/github"]


def _unused[T](kind: type[T]) -> T:
    return kind.__new__(kind)
