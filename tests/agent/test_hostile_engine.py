"""What an engine leaves behind to be run, found or waited for by the supervisor."""

import os
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from soulcaster_agent.checkout import check_out
from soulcaster_agent.engine_server import MOST_CONNECTIONS
from soulcaster_agent.git import Git
from soulcaster_agent.job import Repository
from soulcaster_agent.patch import make_patch
from soulcaster_agent.redact import PATTERNS
from soulcaster_agent.users import engine_user, processes_of
from tests.agent.conftest import PYTHON, until
from tests.agent.proxied import Proxied, proxied, upstream
from tests.agent.repositories import commit_all, git

__all__ = ["proxied", "upstream"]

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="becomes another user")

# Each process lives for as long as it takes to start the next one in a session of its own.
CHAIN = """
import os
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
"""


def test_settings_in_a_submodule_are_not_run(tmp_path: Path) -> None:
    """A repository that the engine makes of a submodule's folder is not entered by our git."""
    origin, trap = tmp_path / "origin", tmp_path / "trapped"
    origin.mkdir()
    (origin / "a.txt").write_text("a\n")
    commit_all(origin)
    head = git(origin, "rev-parse", "HEAD")
    git(origin, "update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    git(origin, "commit", "-qm", "a submodule")
    folder = tmp_path / "attempt"
    folder.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    ours = Git(home, time.time() + 60)
    checkout = check_out(Repository(str(origin), "main", None), folder, ours)

    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {trap}\n")
    evil.chmod(evil.stat().st_mode | stat.S_IXUSR)
    sub = checkout.workdir / "sub"
    subprocess.run(["git", "clone", "-q", str(origin), str(sub)], check=True)
    subprocess.run(["git", "-C", sub, "checkout", "-q", head], check=True)
    subprocess.run(["git", "-C", sub, "config", "core.fsmonitor", str(evil)], check=True)
    (checkout.workdir / "a.txt").write_text("fixed\n")
    patch = make_patch(checkout, ours)
    assert [each.path for each in patch.files] == ["a.txt"]
    assert not trap.exists()


@needs_root
def test_a_process_that_is_always_another_one_ends() -> None:
    """Nothing that an engine started outlives its user, however fast it starts the next."""
    with engine_user() as uid:
        command = ["/bin/sh", "-c", f'exec {PYTHON} -c "$0"', CHAIN]
        subprocess.run(command, user=uid, group=uid, extra_groups=[], env={}, check=True)
    assert not processes_of(uid)


def test_connections_are_bounded(proxied: Callable[..., Proxied]) -> None:
    """One too many is closed at once; when the others have ended there is room again."""
    world = proxied()
    address = ("127.0.0.1", world.proxy.port)
    idle = [socket.create_connection(address) for _ in range(MOST_CONNECTIONS)]
    with socket.create_connection(address) as late:
        assert late.recv(1) == b""
    for each in idle:
        each.close()

    def answered() -> bool:
        with socket.create_connection(address) as again:
            again.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                return again.recv(12) == b"HTTP/1.1 401"
            except ConnectionResetError:
                return False

    until(answered)


def test_what_looks_like_tokens_everywhere_is_searched_once() -> None:
    """Text that begins a token at every step costs no square of its length."""
    assert PATTERNS.search("eyJ-" * 100_000) is None
    token = f"eyJ{'a' * 40}.eyJ{'b' * 2_000}.{'c' * 86}"
    found = PATTERNS.search(f"x {token} y")
    assert found
    assert found[0] == token
