"""What a batch of several projects' deliveries does when not all of them can be stored."""

import json
from typing import Any

import pytest

from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.pull_store import PullStore
from soulcaster.edges.redis import Redis
from soulcaster.edges.source_store import SourceStore
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.project import Project
from soulcaster.rules.source import Source
from soulcaster.use_cases.store_batch import store_batch
from tests.rules.pulls import pull_event
from tests.rules.samples import NOW, standard_event
from tests.support.tap import Fault
from tests.support.world import World

PROJECTS = ["attic", "cellar", "larder"]


@pytest.fixture
def redis(world: World) -> Redis:
    """The product's client, on the wire."""
    return Redis(world.wires.redis, world.credentials.redis)


def message(project: str) -> str:
    """A verified delivery of feedback to a project."""
    return delivered(project, "standard", {}, standard_event())


def news(project: str) -> str:
    """A verified delivery of what became of a pull request."""
    return delivered(project, "github", {"x-github-event": "pull_request"}, pull_event())


def delivered(project: str, kind: str, headers: dict[str, str], payload: Any) -> str:
    source = Source(id=f"src_{project}_s", project=project, kind=kind, name="s")
    return Delivery(
        project=project,
        source_id=source.id,
        source=source,
        headers=headers,
        body=json.dumps(payload).encode(),
        received_at=NOW,
    ).message()


def store(redis: Redis, *messages: tuple[str, str]) -> list[str]:
    """Store deliveries, of feedback to each project when none is given; returns what failed."""
    return store_batch(
        messages or [(project, message(project)) for project in PROJECTS],
        feedback=FeedbackStore(redis),
        sources=SourceStore(redis),
        pulls=PullStore(redis),
    )


def test_a_store_that_is_not_reached_is_asked_once(world: World, redis: Redis) -> None:
    """Each project would wait as long again, and the function has a time limit: all come again."""
    with (
        world.tap.recording() as calls,
        world.tap.faulty(Fault("close", system="redis", lasting=True)),
    ):
        assert store(redis) == PROJECTS
    assert len(calls) == 1


def test_a_project_that_is_gone_stops_no_other(redis: Redis) -> None:
    """Only its own deliveries come again; the store has answered, so it is asked on."""
    for project in ("attic", "larder"):
        ProjectStore(redis).put(Project(id=project, name=project), new=True)
    assert store(redis) == ["cellar"]
    for project in ("attic", "larder"):
        page = FeedbackStore(redis).page(project, "", 5)
        assert page is not None
        assert page.total == 1


def test_feedback_and_news_are_a_request_each(world: World, redis: Redis) -> None:
    """However many a batch has of both; news of nobody's pull request is done with."""
    ProjectStore(redis).put(Project(id="attic", name="Attic"), new=True)
    bodies = [message("attic"), news("attic"), message("attic"), news("attic")]
    with world.tap.recording() as calls:
        assert store(redis, *((str(n), body) for n, body in enumerate(bodies))) == []
    assert len(calls) == 2


def test_news_that_is_not_stored_comes_again(world: World, redis: Redis) -> None:
    """A merge must not be lost; what could be stored is not asked for again."""
    ProjectStore(redis).put(Project(id="attic", name="Attic"), new=True)
    with world.tap.faulty(Fault(503, system="redis", number=2)):
        failed = store(redis, ("a", message("attic")), ("b", news("attic")))
    assert failed == ["b"]


def test_a_garbled_event_goes_to_the_dead_letters(redis: Redis) -> None:
    """What GitHub does not document can't be read, and is kept whole."""
    headers = {"x-github-event": "pull_request"}
    body = delivered("attic", "github", headers, {"action": "closed", "pull_request": {}})
    assert store(redis, ("a", body)) == ["a"]
