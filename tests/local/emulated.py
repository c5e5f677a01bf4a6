"""What the tests of the AWS emulators share."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.config import Config

from local.serve import free_port

ROOT = Path(__file__).parents[2]
SECRET_KEY = "a-secret-key"


class Clock:
    """Time that a test moves by hand, in seconds."""

    ahead = 0.0

    def __call__(self) -> float:
        """The present, as far ahead as the test says."""
        return time.time() + self.ahead


def options(url: str, **config: Any) -> dict[str, Any]:
    """The options of a boto3 client of the emulator at ``url``, which never retries."""
    return {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": "an-access-key",
        "aws_secret_access_key": SECRET_KEY,
        "config": Config(retries={"total_max_attempts": 1}, **config),
    }


def until[T](ask: Callable[[], T | None], seconds: float = 20) -> T:
    """The first true answer of ``ask``; fails after ``seconds`` without one."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return answer


@contextmanager
def process(module: str, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """An emulator as the local cloud starts it: its address and its process."""
    port = free_port()
    started = subprocess.Popen(
        [sys.executable, "-m", module, "--port", str(port), *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )

    def listens() -> bool:
        assert started.poll() is None
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(listens)
        yield f"http://127.0.0.1:{port}", started
    finally:
        started.kill()
        started.wait()
