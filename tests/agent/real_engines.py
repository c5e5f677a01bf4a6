"""The real command lines, each in the real supervisor with a scripted model."""

import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.agent.conftest import ROOT, Start
from tests.agent.control_plane import ControlPlane
from tests.agent.upstream import Upstream, serving

AGENT = ROOT / "agent-container"
# How each is named to the supervisor, and where `make setup` puts it.
PLACES = {
    "kilo": ("KILO_BIN", AGENT / "node_modules/.bin/kilo"),
    "mini-swe-agent": ("MINI_SWE_AGENT_BIN", AGENT / ".engines/bin/mini-swe-agent"),
}
type StartEngine = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def upstream(plane: ControlPlane) -> Iterator[Upstream]:
    """The job's model, which plays a script."""
    with serving() as upstream:
        plane.model = upstream.model
        yield upstream


@pytest.fixture
def start_engine(plane: ControlPlane, start: Start, monkeypatch: pytest.MonkeyPatch) -> StartEngine:
    """Start the task on a job for the engine of this name."""

    def start_engine(name: str) -> subprocess.Popen[str]:
        variable, path = PLACES[name]
        assert path.exists(), f"run `make setup`: {name} is not installed"
        job = plane.job
        monkeypatch.setattr(plane, "job", lambda: {**job(), "engine": name})
        return start(path, **{variable: str(path)})

    return start_engine
