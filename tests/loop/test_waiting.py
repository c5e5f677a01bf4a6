"""How the demo waits and what it shows meanwhile."""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.cloud import Cloud
from local.demo import screen
from local.demo.command import run
from local.demo.control import Unavailable, Unfinished, Waiting
from local.demo.feedback_file import moved, read
from local.demo.load import project_of
from local.demo.screen import Screen
from local.parts import ROOT
from soulcaster.rules.ids import PROJECT

QUIET = 0.2  # less than the pause between two looks


@pytest.fixture
def waiting(tmp_path: Path) -> Waiting:
    return Waiting(Cloud(tmp_path, {}), Screen(), QUIET)


def test_waits_as_long_as_something_moves(waiting: Waiting) -> None:
    """What moves at every look may take many times as long as nothing may move."""
    looks = iter([("1 of 4", None), ("2 of 4", None), ("3 of 4", None), ("4 of 4", "done")])
    assert waiting.until(lambda: next(looks)) == "done"


def test_gives_up_when_nothing_moves(waiting: Waiting) -> None:
    """The error says how far it came; an API that is away is no progress either."""
    looks = iter(range(100))

    def stuck() -> tuple[str, None]:
        if next(looks) > 0:
            raise Unavailable("away")
        return "3 of 4", None

    with pytest.raises(Unfinished, match="3 of 4: nothing has moved"):
        waiting.until(stuck)


def test_an_error_is_not_waited_for(waiting: Waiting) -> None:
    """A refusal would be the same the next time."""

    def refused() -> tuple[str, None]:
        raise Unfinished("GET /stats: 404")

    with pytest.raises(Unfinished, match="404"):
        waiting.until(refused)


class Terminal(io.StringIO):
    """A screen of one line."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_a_terminal_shows_progress_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was shown is wiped before the next line, so that nothing of it stays."""
    monkeypatch.setattr(screen, "SMOOTH_SECONDS", -1)
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    shown = Screen()
    shown.progress("1 of 2")
    shown.progress("2 of 2")
    shown.say("done")
    assert terminal.getvalue() == "\r\x1b[K  1 of 2\r\x1b[K  2 of 2\r\x1b[Kdone\n"


def test_a_file_gets_progress_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whole lines, no control characters, and none for what is done soon."""
    shown = Screen()
    shown.progress("1 of 3")
    monkeypatch.setattr(screen, "SPARSE_SECONDS", -1)
    shown.progress("2 of 3")
    shown.progress("2 of 3")
    shown.say("done")
    assert capsys.readouterr().out == "  2 of 3\ndone\n"


def test_the_sample_stays_young() -> None:
    """Its newest item is as old as the first run, and all keep their distance."""
    rows = read(ROOT / "sample/feedback.jsonl")
    now = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    then = sorted(datetime.fromisoformat(row["created_at"]) for row in rows)
    today = sorted(datetime.fromisoformat(row["created_at"]) for row in moved(rows, now))
    assert today[-1] == now
    assert {b - a for a, b in zip(then, today, strict=True)} == {now - then[-1]}


@pytest.mark.parametrize("name", ["a.jsonl", "Ä Ö.jsonl.gz", "-.jsonl", "x" * 90, "larder.jsonl"])
def test_every_file_name_makes_a_project(name: str) -> None:
    """Its id is one that the API takes, and not the sample's."""
    project = project_of(Path(name))
    assert PROJECT.fullmatch(project)
    assert project != "larder"


def test_the_sample_needs_the_emulators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a real GitHub App nothing is started, and the variable is named."""
    monkeypatch.setenv("GITHUB_APP_ID", "7")
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY", "key")
    with pytest.raises(ValueError, match="GITHUB_APP_ID is set"):
        run(None, tmp_path / "state", end=True)
    assert not (tmp_path / "state").exists()
