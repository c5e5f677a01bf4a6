"""A command that is ended together with everything it started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 0.2
GRACE_SECONDS = 5.0
LONGEST_LINE = 1_000_000
PR_SET_CHILD_SUBREAPER = 36


class DeadlinePassedError(Exception):
    """The time of the attempt was over before the work was done."""


class StoppedError(Exception):
    """Somebody asked for the work to end."""


class Command:
    """Runs one command at a time in a session of its own."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def stop(self) -> None:
        """End the run that is under way, or the next one at once; for any thread."""
        self._stop.set()

    def run(
        self,
        argv: list[str],
        *,
        cwd: Path,
        env: dict[str, str],
        stdin: str,
        deadline: float,
        on_line: Callable[[str], None],
    ) -> int:
        """Return the exit status (negative: the signal that ended it).

        Each line of its output and errors goes to ``on_line``, from another thread.
        However this returns or raises (OSError, DeadlinePassedError, StoppedError),
        nothing that the command started is running any more.
        """
        adopt_orphans()
        others = children(os.getpid())
        with tempfile.TemporaryFile() as text:
            text.write(stdin.encode())
            text.seek(0)
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=env,
                stdin=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        reader = threading.Thread(target=read_lines, args=(process, on_line), daemon=True)
        reader.start()
        try:
            return self._wait(process, deadline)
        finally:
            end_group(process)
            end_others(others)
            reader.join(GRACE_SECONDS)

    def _wait(self, process: subprocess.Popen[bytes], deadline: float) -> int:
        while (status := process.poll()) is None:
            left = deadline - time.time()
            if left <= 0:
                raise DeadlinePassedError("the command was not done in time")
            if self._stop.wait(min(POLL_SECONDS, left)):
                raise StoppedError("the command was stopped")
        return status


def read_lines(process: subprocess.Popen[bytes], on_line: Callable[[str], None]) -> None:
    """Pass on each line of the output, until nobody can write to it any more.

    A line that never ends comes in pieces of a megabyte.
    """
    assert process.stdout is not None
    stdout = process.stdout
    for line in iter(lambda: stdout.readline(LONGEST_LINE), b""):
        on_line(line.decode(errors="replace").rstrip())


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process group: asked first, then killed after 5 seconds."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (Linux only).

    A shell tool runs its commands in sessions of their own, which the signal to the
    group does not reach.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_others(keep: set[int]) -> None:
    """Kill what still descends from this process, except the children in ``keep``."""
    until = time.monotonic() + GRACE_SECONDS
    while (found := descendants(os.getpid(), keep)) and time.monotonic() < until:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.01)


def descendants(pid: int, keep: set[int]) -> set[int]:
    """Return the processes below ``pid``, without the branches that start in ``keep``."""
    found = children(pid) - keep
    for child in list(found):
        found |= descendants(child, keep)
    return found


def children(pid: int) -> set[int]:
    """Return the ids of a process's children; none where there is no /proc."""
    found: set[int] = set()
    # Only what has ended meanwhile may be missed: a glob would hide every error.
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                text = Path(f"/proc/{pid}/task/{thread}/children").read_text()
                found |= {int(child) for child in text.split()}
    return found
