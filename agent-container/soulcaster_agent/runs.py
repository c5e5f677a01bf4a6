"""One run of a repository's tests, in a tree that is laid out for it and gone after it."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from soulcaster_agent.confinement import Confinement
from soulcaster_agent.convention import Signs, signs
from soulcaster_agent.git import GitError
from soulcaster_agent.leftovers import clear_leftovers
from soulcaster_agent.process import Command, DeadlinePassedError
from soulcaster_agent.recorder import Recorder
from soulcaster_agent.redact import Redactor
from soulcaster_agent.trees import Trees
from soulcaster_agent.verdict import Ending, Run

SHELL = "/bin/sh"
CANNOT_START = {126, 127}


@dataclass(frozen=True)
class TestRunner:
    """Runs ``setup``, if there is one, and ``command`` in a shell, as the engine's user.

    They are confined like the engine and are given no model. ``folder`` is the attempt's;
    ``process`` is what can be stopped.
    """

    __test__ = False  # no test, whatever its name says

    setup: str
    command: str
    process: Command
    confinement: Confinement
    redact: Redactor
    folder: Path

    def run(self, name: str, trees: Trees, tree: str, until: float) -> Run:
        """Return how the tests of a tree ended, at ``until`` (Unix seconds) at the latest.

        Raises StoppedError. However it ends, nothing that was started is running any more,
        and no file that it left is where another run could find it.
        """
        started = time.monotonic()
        look = signs(self.command)
        recorder = Recorder(self.redact, look.ran, look.missing)
        ending: Ending = "broken"
        status: int | None = None
        try:
            with self._laid_out(trees, tree) as (workdir, home):
                ending, status = self._execute(workdir, home, until, recorder, look)
        except DeadlinePassedError:
            ending = "late"
            recorder.add("(not done in time)")
        except (GitError, OSError) as error:
            recorder.add(f"(could not be run: {error})")
        command = self.setup if ending == "setup_failed" else self.command
        seconds = round(time.monotonic() - started, 2)
        return Run(name, self.redact(command), ending, status, seconds, recorder.text())

    @contextlib.contextmanager
    def _laid_out(self, trees: Trees, tree: str) -> Iterator[tuple[Path, Path]]:
        """Yield the tree in a folder and an empty home, both the engine's user's."""
        with tempfile.TemporaryDirectory(
            prefix="tests-", dir=self.folder, ignore_cleanup_errors=True
        ) as folder:
            workdir, home = Path(folder, "work"), Path(folder, "home")
            (home / "tmp").mkdir(parents=True)
            workdir.mkdir()
            trees.lay_out(tree, workdir)
            self.confinement.hand_over(Path(folder))
            try:
                yield workdir, home
            finally:
                self.confinement.end()
                clear_leftovers(self.confinement.uid)

    def _execute(
        self, workdir: Path, home: Path, until: float, recorder: Recorder, look: Signs
    ) -> tuple[Ending, int]:
        """Run setup and command; return how it ended, and the last status."""
        if self.setup:
            status = self._start(self.setup, workdir, home, until, recorder)
            if status:
                return "setup_failed", status
        status = self._start(self.command, workdir, home, until, recorder)
        return ending_of(status, recorder, look), status

    def _start(
        self, command: str, workdir: Path, home: Path, until: float, recorder: Recorder
    ) -> int:
        recorder.add(f"$ {command}")
        return self.process.run(
            self.confinement.command([SHELL, "-c", command], workdir, home),
            cwd=workdir,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(home),
                "TMPDIR": str(home / "tmp"),
                "LANG": "C.UTF-8",
            },
            stdin="",
            deadline=until,
            on_line=recorder.add,
        )


def ending_of(status: int, recorder: Recorder, look: Signs) -> Ending:
    """Return what a status and an output mean."""
    if status == 0:
        return "passed" if look.ran is None or recorder.saw(look.ran) else "none"
    if status == look.none:
        return "none"
    if status in CANNOT_START or recorder.saw(look.missing):
        return "not_started"
    return "failed"
