"""Users that exist for engines alone: one for each run on a machine."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

# The first is in the image's list of users; a machine that runs several tasks at once
# gives each of them another, for engines of the same user could read each other.
UIDS = range(21_001, 21_065)
END_SECONDS = 10


class NoUserError(Exception):
    """All the users for engines are taken."""


class StillRunningError(Exception):
    """Something of an engine's can't be ended, so nothing after it can be trusted."""


@contextlib.contextmanager
def engine_user() -> Iterator[int]:
    """Hold a uid that nothing else runs under; kills what runs under it at the end."""
    uid, lock = take()
    try:
        yield uid
    finally:
        end_all_of(uid)
        lock.close()


def take() -> tuple[int, socket.socket]:
    """Return a uid and what holds it: a name that the system frees with its process."""
    for uid in UIDS:
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0soulcaster-agent-{uid}")
        except OSError:
            lock.close()
            continue
        # Somebody else's processes are not ours to end.
        if not processes_of(uid):
            return uid, lock
        lock.close()
    raise NoUserError("no user for an engine is free")


def end_all_of(uid: int) -> None:
    """Kill every process of the user, whatever its parent, group or session is.

    Raises StillRunningError when some are there after 10 seconds.
    """
    until = time.monotonic() + END_SECONDS
    while True:
        kill_all_of(uid)
        for pid in (found := processes_of(uid)):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        if not found:
            return
        if time.monotonic() > until:
            raise StillRunningError(f"{len(found)} processes of user {uid} can't be ended")
        time.sleep(0.01)


def kill_all_of(uid: int) -> None:
    """Kill all that runs as the user at one moment, as only the user itself can ask for.

    What is looked up first and killed then may have started its successor in between.
    """
    subprocess.run(
        ["/bin/sh", "-c", "kill -s KILL -- -1"],
        user=uid,
        group=uid,
        extra_groups=[],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def processes_of(uid: int) -> set[int]:
    """Return the processes that run as the user and are not yet dead."""
    found = set()
    for name in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208 - glob hides errors
        # Only what has ended meanwhile may be missed.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            text = Path(f"/proc/{name}/status").read_text(errors="replace")
            fields = dict(line.split(":", 1) for line in text.splitlines())
            dead = fields["State"].split()[0] in {"Z", "X"}
            if not dead and str(uid) in fields["Uid"].split():
                found.add(int(name))
    return found
