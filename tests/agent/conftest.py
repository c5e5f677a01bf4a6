"""What the tests of the task share: a repository, a control plane, and the task itself."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.serve import running
from tests.agent.control_plane import TICKET, ControlPlane
from tests.agent.repositories import bare, commit_all

ROOT = Path(__file__).parents[2]
# What any user can start: the engine runs as another one where the tests run as root.
PYTHON = shutil.which("python3", path=os.defpath) or sys.executable
FAKE_ENGINE = """#!{python}
import json, os, subprocess, sys, time
def say(text):
    print(json.dumps({{"type": "text", "part": {{"text": text}}}}), flush=True)
exec(sys.stdin.read())
"""
type Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def larder(tmp_path: Path) -> Path:
    """The sample repository with its history, as a folder to look into."""
    folder = tmp_path / "larder"
    shutil.copytree(
        ROOT / "sample/repository", folder, ignore=shutil.ignore_patterns("__pycache__", ".git")
    )
    commit_all(folder)
    return folder


@pytest.fixture
def plane(larder: Path, tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane with one job for the sample repository."""
    plane = ControlPlane(bare(larder, tmp_path / "larder.git"))
    with running(plane.app()) as plane.address:
        yield plane


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user can enter and write to."""
    with tempfile.TemporaryDirectory(prefix="shared-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.fixture
def fake_engine(shared: Path) -> Path:
    """An engine that runs its prompt as a Python program in the clone."""
    path = shared / "fake-kilo"
    path.write_text(FAKE_ENGINE.format(python=PYTHON))
    path.chmod(0o755)
    return path


@pytest.fixture
def kilo() -> Path:
    """The real engine, where `make setup` puts it."""
    path = ROOT / "agent-container/node_modules/.bin/kilo"
    assert path.exists(), "run `make setup`: the engine is not installed"
    return path


@pytest.fixture
def start(plane: ControlPlane, shared: Path) -> Iterator[Start]:
    """Start the real entry point; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    temporary = shared / "temporary"
    temporary.mkdir()

    def start(engine: Path, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "soulcaster_agent"],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT / "agent-container"),
                "TMPDIR": str(temporary),
                "SOULCASTER_API_URL": plane.address,
                "SOULCASTER_TICKET": TICKET,
                "KILO_BIN": str(engine),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], seconds: float = 120) -> tuple[int, str]:
    """Wait for the task; return its exit status and all it printed."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out + err


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is true; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not become true in time"
        time.sleep(0.05)


def running_with(marker: str) -> list[int]:
    """The processes whose command line holds the marker."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if marker.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found
