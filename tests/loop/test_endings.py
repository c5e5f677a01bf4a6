"""The endings: jobs that come to no pull request, each with its own name, and nothing left."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.demo.control import ENDS
from local.endings.command import RECORDINGS
from local.endings.jobs import Ended
from local.endings.scenarios import ENDINGS, Ending
from local.endings.watch import CONTAINER, Watch
from local.model import load
from local.parts import ROOT
from soulcaster.rules import job
from tests.local.emulated import until
from tests.loop.clouds import needs_proc, none_left, started

# State, cause, attempts, and what people read.
EXPECTED = {
    "no change": ("no_change", "no_change", "1", "without changing a file"),
    "tests fail": ("refused", "tests_fail", "1", "The tests fail with the change"),
    "over budget": ("over_budget", "budget", "1", "reached its budget of $0.03"),
    "cancelled": ("cancelled", "person", "1", "cancelled by maintainer"),
    "timed out": ("timed_out", "deadline", "1", "The time was over"),
    "engine crash": ("failed", "engine", "1", "The engine was ended by SIGKILL"),
    "task killed": ("failed", "task_lost", "3", "Stopped by an operator"),
}
ROW = re.compile(
    r"^  (\w+ \w+|\w+) +(\w+) +(\w+) +(\d) +(\d+\.\d) +(≤?)(\d+\.\d{4})  (.+)$", re.MULTILINE
)


@dataclass
class Run:
    """A run that has ended."""

    folder: Path
    status: int
    printed: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("endings") / "state"
    with started("local.endings", folder) as command:
        return Run(folder, command.ended(380), command.printed)


@needs_proc
@pytest.mark.timeout(400)
def test_each_job_ends_in_its_own_way(run: Run) -> None:
    """Exit status 0, and a table of state, cause, attempts and a reason for people; only what is
    not known exactly is given as the most that it can have cost.
    """
    assert run.status == 0, run.printed
    assert "All as it should be" in run.printed
    assert "Traceback" not in run.printed
    rows = {row[0]: row for row in ROW.findall(run.printed)}
    assert rows.keys() == EXPECTED.keys(), run.printed
    for name, (*ends, words) in EXPECTED.items():
        assert rows[name][1:4] == tuple(ends), rows[name]
        assert words in rows[name][7]
        assert (rows[name][5] == "≤") == (name in {"cancelled", "task killed"})


@needs_proc
@pytest.mark.timeout(400)
def test_nothing_is_left(run: Run) -> None:
    """It looked itself while the cloud was up, and with the cloud everything else has ended."""
    found = re.search(r"Nothing is left: none of (\d+) processes", run.printed)
    assert found, run.printed
    # Each attempt has a container, a supervisor and an engine.
    assert int(found[1]) >= 3 * sum(ending.attempts for ending in ENDINGS)
    assert none_left(run.folder)


def test_every_ending_has_its_recording() -> None:
    """By its project's name, and for its report alone."""
    recordings = {recording.name: recording for recording in load(RECORDINGS)}
    assert recordings.keys() == {ending.project for ending in ENDINGS}
    for ending in ENDINGS:
        matching = [one.name for one in recordings.values() if one.match[1] in ending.title]
        assert matching == [ending.project]


def test_it_knows_every_end() -> None:
    """The product's own list, which is not on the path of these commands; all but the pull
    request are among the endings.
    """
    assert ENDS == job.ENDS
    assert {ending.state for ending in ENDINGS} == job.ENDS - {"pr_open"}
    assert {ending.cause for ending in ENDINGS} <= job.CAUSES


def _job(ending: Ending, **other: Any) -> dict[str, Any]:
    good = {
        "state": ending.state,
        "cause": ending.cause,
        "attempt": ending.attempts,
        "reason": "It was so.",
        "created_at": 1_000,
        "updated_at": 2_500,
        "deadline": 3_000,
    }
    return good | other


@pytest.mark.parametrize(
    ("other", "processes", "fault"),
    [
        ({}, 3, None),
        ({"state": "failed"}, 3, "state is failed, not timed_out"),
        ({"cause": "engine"}, 3, "cause is engine, not deadline"),
        ({"attempt": 2}, 3, "attempt is 2, not 1"),
        ({"reason": ""}, 3, "there is no reason"),
        ({"updated_at": 3_001}, 3, "it did not end within its deadline"),
        ({"deadline": None}, 3, "it did not end within its deadline"),
        ({}, 0, "no process was seen at work"),
    ],
)
def test_another_end_is_a_fault(other: dict[str, Any], processes: int, fault: str | None) -> None:
    """Anything but the ending's own state, cause, attempts and deadline is named."""
    [ending] = [ending for ending in ENDINGS if ending.project == "timed-out"]
    ended = Ended(ending, _job(ending, **other), processes)
    assert ended.seconds == (_job(ending, **other)["updated_at"] - 1_000) / 1_000
    assert ended.faults() == ([fault] if fault else [])


@needs_proc
def test_a_process_that_is_left_is_told() -> None:
    """What a task had is known by its job and attempt, and left for as long as it lives; that of
    others is not looked at.
    """
    reading, writing = os.pipe()
    command = [sys.executable, str(ROOT / "local/ecs" / CONTAINER), str(reading), "sleep", "60"]
    ticket = {"SOULCASTER_TICKET": "job_larder_0.2.secret", "PATH": os.environ["PATH"]}
    stranger = subprocess.Popen(["sleep", "60"])
    task = subprocess.Popen(command, env=ticket, pass_fds=(reading,), start_new_session=True)
    watch = Watch()

    def sleeps() -> bool:
        watch.look()
        return watch.runs("job_larder_0", 2, "sleep")

    try:
        assert until(sleeps)
        assert not watch.runs("job_larder_0", 1, "sleep")
        assert watch.seen("job_larder_0") == 2
        pids = {process.pid for process in watch.left()}
        assert task.pid in pids
        assert stranger.pid not in pids
        os.close(writing)
        task.wait(20)
        assert until(lambda: not watch.left())
    finally:
        for process in (task, stranger):
            process.kill()
            process.wait()
        os.close(reading)
