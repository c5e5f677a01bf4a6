"""The processes of the local cloud: each with a log of its own, all ending with their parent."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 10
TAIL_LINES = 15
# All that a part sees of this process's environment. Somebody's keys, AWS profile or proxy
# would lead it to somewhere else than the local cloud.
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")


class PartFailed(RuntimeError):  # noqa: N818 - names what happened
    """A part did not start, or ended; the message holds the end of its log."""


class Parts:
    """Starts parts and stops them, the last one first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, arguments: Sequence[str | Path]) -> None:
        """Start ``python -m <arguments>``; it gets the end of its input when this process dies."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with self._log(name).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *map(str, arguments)],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches this process alone, which then stops them in order.
                start_new_session=True,
            )
        self._running.append((name, process))

    def wait_for(self, name: str, port: int) -> None:
        """Return when ``name`` takes connections; raises ``PartFailed``."""
        process = next(p for n, p in self._running if n == name)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.02)
        raise PartFailed(self._about(name, "did not start"))

    def check(self, seconds: float = 0) -> None:
        """Raise ``PartFailed`` when a part has ended by itself, or does so within ``seconds``."""
        deadline = time.monotonic() + seconds
        while True:
            for name, process in self._running:
                code = process.poll()
                if code is not None:
                    how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
                    raise PartFailed(self._about(name, f"has ended ({how})"))
            if time.monotonic() >= deadline:
                return
            time.sleep(0.02)

    def stop(self) -> None:
        """End every part and wait for it; the last one is what uses all the others."""
        last, others = self._running[-1:], self._running[:-1]
        for group in (last, others):
            for _, process in group:
                process.terminate()
            deadline = time.monotonic() + STOP_SECONDS
            for _, process in group:
                _await(process, deadline)
        self._running.clear()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _about(self, name: str, what: str) -> str:
        lines = self._log(name).read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]
        return "\n".join([f"{name} {what}; its log is {self._log(name)}", *lines])


def _await(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def environment() -> dict[str, str]:
    """What every part is started with."""
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SOULCASTER_PARENT": "1",
    }
