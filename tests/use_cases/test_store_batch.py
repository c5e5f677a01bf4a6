"""What a batch of several projects' deliveries does when not all of them can be stored."""

import json

import pytest

from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.project import Project
from soulcaster.rules.source import Source
from soulcaster.use_cases.store_batch import store_batch
from tests.rules.samples import NOW, standard_event
from tests.support.tap import Fault
from tests.support.world import World

PROJECTS = ["attic", "cellar", "larder"]


@pytest.fixture
def redis(world: World) -> Redis:
    """The product's client, on the wire."""
    return Redis(world.wires.redis, world.credentials.redis)


def message(project: str) -> str:
    """A verified delivery to a project."""
    source = Source(id=f"src_{project}_s", project=project, kind="standard", name="s")
    return Delivery(
        project=project,
        source_id=source.id,
        source=source,
        headers={},
        body=json.dumps(standard_event()).encode(),
        received_at=NOW,
    ).message()


def store(redis: Redis) -> list[str]:
    """Store a delivery to each project, known by the project; returns what failed."""
    messages = [(project, message(project)) for project in PROJECTS]
    return store_batch(messages, feedback=FeedbackStore(redis), projects=ProjectStore(redis))


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
