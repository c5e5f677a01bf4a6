"""The processes of the local cloud: each with a log of its own, all ending with their parent."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 15


class PartFailed(RuntimeError):  # noqa: N818 - names what happened
    """A part did not start, or ended; the message holds the end of its log."""


class Parts:
    """Starts parts and stops them, the last one first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(
        self,
        name: str,
        arguments: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start ``python -m <arguments>``; it gets the end of its input when this process dies."""
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *map(str, arguments)],
                cwd=ROOT,
                env={**_plain_environment(), **(environment or {}), "SOULCASTER_PARENT": "1"},
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
        raise PartFailed(f"{name} did not start:\n{self._end_of_log(name)}")

    def ended(self) -> str | None:
        """The name of a part that has ended by itself, if one has."""
        return next((name for name, process in self._running if process.poll() is not None), None)

    def stop(self) -> None:
        """End every part and wait for it."""
        for _, process in reversed(self._running):
            if process.stdin:
                process.stdin.close()
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for _, process in reversed(self._running):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _end_of_log(self, name: str) -> str:
        return "\n".join(
            (self._logs / f"{name}.log").read_text("utf-8", "replace").splitlines()[-15:]
        )


def _plain_environment() -> dict[str, str]:
    """Our own environment without what would lead an emulator to somebody's account."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "UPSTASH_", "GEMINI_", "GITHUB_", "REDDIT_", "MODEL_"))
    }
