"""One project's trouble is not another's."""

import json

import pytest

from soulcaster.edges.project_store import ProjectStore
from soulcaster.rules.project import Project
from tests.support import seeds, state
from tests.support.tap import Fault
from tests.support.world import World

TITLES = ["The import loses the last line", "Dark mode can't be read"]


@pytest.fixture
def pending(world: World) -> World:
    """Two projects with feedback to be clustered: attic, whose turn is first, and larder."""
    projects = ProjectStore(seeds.redis(world))
    for project in ("attic", "larder"):
        projects.put(Project(id=project, name=project), new=True)
        seeds.feedback(world, TITLES, project=project)
    return world


def left(world: World) -> dict[str, int]:
    """How many items are pending in each project."""
    found = {}
    for project in ("attic", "larder"):
        stats = ProjectStore(seeds.redis(world)).stats(project)
        assert stats is not None
        assert stats["pending"] + stats["clustered"] == len(TITLES)
        found[project] = stats["pending"]
    return found


@pytest.mark.parametrize("system", ["vector", "gemini"])
def test_a_project_that_fails_stops_no_other(pending: World, system: str) -> None:
    """The others are clustered, the run counts as failed, and the next one makes up for it."""
    # 400 is not tried again by any client.
    with pending.tap.faulty(Fault(400, system=system)):
        result = pending.tick("ClusterFunction")
    assert result.error is not None
    assert "attic was not clustered" in result.error
    assert left(pending) == {"attic": 2, "larder": 0}
    assert pending.tick("ClusterFunction").error is None
    assert left(pending) == {"attic": 0, "larder": 0}


def test_a_failure_gives_the_lease_back(pending: World) -> None:
    """Who comes next need not wait until it ends by itself."""
    with pending.tap.faulty(Fault(400, system="vector", lasting=True)):
        assert pending.tick("ClusterFunction").error is not None
    assert left(pending) == {"attic": 2, "larder": 2}
    assert state.redis(pending, "EXISTS", "p:attic:lease", "p:larder:lease") == 0


def test_a_request_that_fails_comes_again(pending: World) -> None:
    """A person who asked for clustering gets it when the outage is over, and nothing else."""
    pending.send("ClusterQueue", json.dumps({"project": "larder"}))
    with pending.tap.faulty(Fault(400, system="vector")):
        delivery = pending.deliver("ClusterQueue")
    assert delivery is not None
    assert delivery.failed
    pending.drain("ClusterQueue")
    assert left(pending) == {"attic": 2, "larder": 0}
