"""An engine that is a command line: what starting it takes, whichever it is."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from soulcaster_agent.confinement import Confinement
from soulcaster_agent.process import Command


class CannotStartError(Exception):
    """The engine's program is not there or can't be started; the text is for people."""


class CommandLine:
    """The program ``binary``, which finds others on ``path``."""

    def __init__(self, binary: str, path: str) -> None:
        self._binary = binary
        self._path = path
        self._command = Command()

    @contextlib.contextmanager
    def home(self, workdir: Path) -> Iterator[Path]:
        """Make a home folder beside the clone that lasts as long as the block."""
        with tempfile.TemporaryDirectory(
            prefix="home-", dir=workdir.parent, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)

    def run(
        self,
        arguments: list[str],
        *,
        workdir: Path,
        home: Path,
        env: Mapping[str, str],
        stdin: str,
        deadline: float,
        confinement: Confinement,
        on_line: Callable[[str], None],
    ) -> int:
        """Run it confined, with few variables beside ``env``; see Command.run.

        Raises CannotStartError, DeadlinePassedError and StoppedError.
        """
        if shutil.which(self._binary) is None:
            raise CannotStartError(f"The engine could not be started: {self._binary}.")
        confinement.hand_over(home)
        # What a program unpacks for itself and leaves behind goes with its home.
        own = {"PATH": self._path, "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
        try:
            return self._command.run(
                confinement.command([self._binary, *arguments], workdir, home),
                cwd=workdir,
                env=own | dict(env),
                stdin=stdin,
                deadline=deadline,
                on_line=on_line,
            )
        except OSError as error:
            reason = f"The engine could not be started: {error.strerror}"
            raise CannotStartError(reason) from error

    def stop(self) -> None:
        """End a run that is under way, or the next one at once; for any thread."""
        self._command.stop()
