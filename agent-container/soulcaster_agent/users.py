"""Users that exist for engines alone: one for each run on a machine."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

# The first is in the image's list of users; a machine that runs several tasks at once
# gives each of them another, for engines of the same user could read each other.
UIDS = range(21_001, 21_065)
END_SECONDS = 10


class NoUserError(Exception):
    """All the users for engines are taken."""


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

    Each is stopped first: a stopped process can't start another, and counts against
    the user's limit.
    """
    until = time.monotonic() + END_SECONDS
    stopped: set[int] = set()
    while found := processes_of(uid):
        fresh = found - stopped
        for pid in fresh or found:
            send(pid, uid, signal.SIGSTOP if fresh else signal.SIGKILL)
        stopped |= fresh
        if not fresh:
            for pid in found:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.01)
        if time.monotonic() > until:
            return


def send(pid: int, uid: int, sign: signal.Signals) -> None:
    """Signal a process unless it ended and its number has gone to somebody else."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            if pid in processes_of(uid, [pid]):
                signal.pidfd_send_signal(handle, sign)
        finally:
            os.close(handle)


def processes_of(uid: int, among: list[int] | None = None) -> set[int]:
    """Return the processes that run as the user and are not yet dead."""
    found = set()
    for pid in among or [int(path.name) for path in Path("/proc").glob("[0-9]*")]:
        with contextlib.suppress(OSError):
            fields = dict(
                line.split(":", 1)
                for line in Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
            )
            dead = fields["State"].split()[0] in {"Z", "X"}
            if not dead and str(uid) in fields["Uid"].split():
                found.add(pid)
    return found
