"""Every way an attempt can end: its name, its cause, its reason, and nothing left behind."""

import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.conftest import PYTHON, Start, ended, running_with, until
from tests.agent.control_plane import CALLBACK_TOKEN, ControlPlane
from tests.agent.prompts import ASK, hanging
from tests.agent.upstream import Upstream, serving

# How long the platform waits for a task that it has told to end.
STOP_SECONDS = 30
CHANGE = "open('new.txt', 'w').close(); say('Done.')"


@pytest.fixture
def upstream(plane: ControlPlane) -> Iterator[Upstream]:
    """The job's model, scripted."""
    with serving() as upstream:
        plane.model = upstream.model
        yield upstream


def end_of(plane: ControlPlane) -> tuple[str, str]:
    """The outcome and the cause that were reported, once."""
    assert len(plane.reports) == 1
    return plane.reports[0]["outcome"], plane.reports[0]["cause"]


def test_the_budget_ends_it(
    plane: ControlPlane, start: Start, fake_engine: Path, upstream: Upstream
) -> None:
    """The reason names the limit, and the cost is what the model counted."""
    upstream.usage = {"prompt_tokens": 20, "completion_tokens": 256, "total_tokens": 276}
    plane.budget = {"dollars": 100, "tokens": 2_500, "granted": 100}
    plane.prompt = ASK + "while True: ask()"
    assert ended(start(fake_engine))[0] == 0
    assert end_of(plane) == ("over_budget", "budget")
    assert "budget of $100.00 and 2,500 tokens" in plane.reports[0]["reason"]
    spent = plane.reports[0]["spent"]
    assert spent["calls"] * 276 == spent["read"] + spent["written"] <= 2_500
    assert plane.reports[0]["exact"]


def test_a_grant_that_is_refused_ends_it(
    plane: ControlPlane, start: Start, fake_engine: Path, upstream: Upstream
) -> None:
    """It asks before it would go beyond what is granted, and never does."""
    plane.budget, plane.grants = {"dollars": 5, "granted": 0.05}, 0.05
    plane.prompt = ASK + "while True: ask()"
    assert ended(start(fake_engine))[0] == 0
    assert end_of(plane) == ("over_budget", "budget")
    assert "no more than $0.05 of it could be granted" in plane.reports[0]["reason"]
    assert max(each["wants"] for each in plane.asked) > 0.05
    assert 0 < plane.reports[0]["spent"]["dollars"] <= 0.05


def test_more_is_granted_on_the_way(
    plane: ControlPlane, start: Start, fake_engine: Path, upstream: Upstream
) -> None:
    """A job that needs more than its first grant gets it and goes on; it is told what it cost."""
    plane.budget = {"dollars": 5, "granted": 0.01}
    plane.prompt = ASK + "say(str([ask() for _ in range(40)]))"
    assert ended(start(fake_engine))[0] == 0
    assert end_of(plane) == ("no_change", "no_change")
    assert len(upstream.asked) == 40
    assert plane.reports[0]["spent"]["calls"] == 40
    assert 0.2 < plane.reports[0]["spent"]["dollars"] <= plane.granted < 0.7
    assert plane.reports[0]["exact"]
    for each in plane.asked:
        assert each["spent"]["dollars"] <= plane.granted


@pytest.mark.parametrize("what", ["patch", "proof"])
def test_work_that_can_not_be_stored_is_a_failure(
    plane: ControlPlane, start: Start, fake_engine: Path, what: str
) -> None:
    """No report claims what nobody can fetch."""
    plane.prompt, plane.refuse_uploads = CHANGE, frozenset({what})
    assert ended(start(fake_engine))[0] == 0
    assert end_of(plane) == ("failed", "upload")
    assert plane.reports[0]["reason"] == f"The {what} could not be stored."
    assert plane.reports[0]["patch_sha256"] == plane.reports[0]["proof_sha256"] == ""


def test_a_record_that_can_not_be_stored_changes_nothing(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """Who follows the log reads that a part of the record is missing."""
    plane.prompt = CHANGE
    plane.refuse_uploads = frozenset({"conversation", "log", "result"})
    assert ended(start(fake_engine))[0] == 0
    assert end_of(plane) == ("patch", "")
    for what in plane.refuse_uploads:
        assert f"The {what} could not be stored" in "\n".join(plane.followed)


def test_a_proof_that_is_refused_ends_it_without_a_report(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """An attempt that was cancelled between two heartbeats runs no tests."""
    plane.prompt, plane.proving_is_stale = CHANGE, True
    status, said = ended(start(fake_engine))
    assert status == 3
    assert "superseded" in said
    assert (plane.reports, plane.uploads) == ([], {})


@pytest.mark.parametrize("silent", [False, True])
def test_a_task_told_to_end_takes_the_engine_with_it(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path, silent: bool
) -> None:
    """SIGTERM leaves neither a process nor a file, also when the control plane is silent."""
    marker = f"marker-{uuid.uuid4()}"
    plane.prompt = hanging(marker)
    task = start(fake_engine)
    until(lambda: bool(running_with(marker)) and plane.beats > 0)
    plane.silent = silent
    task.send_signal(signal.SIGTERM)
    status, _ = ended(task, STOP_SECONDS)
    plane.silent = False
    assert status == 143
    assert running_with(marker) == []
    assert list((shared / "temporary").iterdir()) == []
    if not silent:
        assert plane.followed[-1].endswith("The task was told to end.")


def endless(marker: str) -> dict[str, str]:
    """A project's test command that never ends, with a child in a session of its own."""
    sleep = f"{PYTHON} -c 'import time; time.sleep(1000)' {marker}"
    return {"command": f"setsid {sleep} & {sleep}"}


def test_tests_end_with_the_task(plane: ControlPlane, start: Start, fake_engine: Path) -> None:
    """SIGTERM while tests run leaves none of their processes."""
    marker = f"marker-{uuid.uuid4()}"
    plane.prompt, plane.tests = CHANGE, endless(marker)
    task = start(fake_engine)
    until(lambda: bool(running_with(marker)), 60)
    task.send_signal(signal.SIGTERM)
    assert ended(task, STOP_SECONDS)[0] == 143
    assert running_with(marker) == []


def test_tests_end_when_a_heartbeat_is_refused(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """It beats while tests run, so that a job can be cancelled then too."""
    marker = f"marker-{uuid.uuid4()}"
    plane.prompt, plane.tests = CHANGE, endless(marker)
    task = start(fake_engine)
    until(lambda: bool(running_with(marker)), 60)
    plane.stale = True
    assert ended(task)[0] == 3
    assert (len(plane.proved), plane.reports) == (1, [])
    assert running_with(marker) == []


def test_a_supervisor_that_breaks_says_where(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path
) -> None:
    """A fault of ours is an outcome with a reason, and its traceback is in the log alone."""
    (shared / "sitecustomize.py").write_text(
        "import soulcaster_agent.attempt as a\n"
        "def broken(*_): raise KeyError('ghp_abcdef0123456789')\n"
        "a.check_out = broken\n"
    )
    path = f"{shared}:{Path(__file__).parents[2] / 'agent-container'}"
    status, said = ended(start(fake_engine, PYTHONPATH=path))
    assert status == 0
    assert end_of(plane) == ("failed", "engine")
    assert plane.reports[0]["reason"].startswith("The supervisor itself failed (KeyError)")
    assert "in broken" in plane.log
    assert "ghp_" not in plane.log + said


def test_a_supervisor_that_can_not_even_report_shows_no_secret(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path
) -> None:
    """What it prints at its end is redacted as well, and has a status of its own."""
    (shared / "sitecustomize.py").write_text(
        "import soulcaster_agent.task as t\n"
        "def broken(outcome, job, *_): raise KeyError(job.callback_token)\n"
        "t.hand_in = broken\n"
    )
    path = f"{shared}:{Path(__file__).parents[2] / 'agent-container'}"
    status, said = ended(start(fake_engine, PYTHONPATH=path))
    assert status == 1
    assert "KeyError: '[redacted]'" in said
    assert CALLBACK_TOKEN not in said
