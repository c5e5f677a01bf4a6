"""Processes of an earlier life of the emulator: told from strangers, and ended."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PATIENCE = 2


def started(pid: int) -> str | None:
    """When the process started, in the system's own terms; None when there is none.

    A pid and this together name one process, for pids are used again.
    """
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]
    else:  # noqa: RET505 - mypy knows a branch of another system only by its else
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        return answer.stdout.strip() or None


async def end(pid: int, since: str) -> None:
    """See the process group of a container to its end, unless the pid is a stranger's.

    It ends by itself, for its emulator is gone; one that doesn't is killed.
    """
    if not await _gone(pid, since):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        await _gone(pid, since)


async def _gone(pid: int, since: str) -> bool:
    """Whether the process ends within ``PATIENCE`` seconds."""
    for _ in range(PATIENCE * 50):
        if started(pid) != since:
            return True
        await asyncio.sleep(0.02)
    return False
