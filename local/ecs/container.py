"""The first process of a task's "container": run as a script, with nothing but this file.

    python container.py <file descriptor> <command> [argument…]

It runs the command and exits as the command does (128 + n after signal n). Its process
group is the command's, so a SIGTERM to the group reaches the command. When the command
ends, or when the other end of the descriptor's pipe closes, because the emulator wants
that or is gone, everything the command started is killed, in whatever session it is.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def descendants() -> set[int]:
    """The processes below this one; orphans among them are its children by then."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def kill_descendants() -> None:
    for pid in descendants():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def watch(life: int) -> None:
    """Kill the command and all it started once ``life`` is at its end."""
    os.read(life, 1)
    if sys.platform == "linux":
        kill_descendants()
    else:
        os.killpg(0, signal.SIGKILL)


def main() -> int:
    life, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    early: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: early.append(number))
    main_process = subprocess.Popen(command)
    if early:
        main_process.terminate()
    threading.Thread(target=watch, args=(life,), daemon=True).start()
    code = main_process.wait()
    if sys.platform == "linux":
        with contextlib.suppress(ChildProcessError):
            while True:
                kill_descendants()
                os.waitpid(-1, 0)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
