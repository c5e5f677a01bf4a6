"""The emulated GitHub as a process: killed hard, it goes on where it was."""

import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from local.github.app import app
from local.serve import free_port, running
from soulcaster.edges.github import GitHub
from tests.local.github_support import (
    PERSON_TOKEN,
    REPO,
    WRITE,
    World,
    key_pair,
    keys,
    make_repository,
    publish,
    sample,
)


@contextmanager
def process(tmp_path: Path, port: int) -> Iterator[World]:
    """``python -m local.github``, killed without a chance to tidy up."""
    public_key = tmp_path / "public.pem"
    public_key.write_text(key_pair()[1])
    root = Path(__file__).parents[2]
    command = f"-m local.github --port {port} --state {tmp_path}/state --app-id 77"
    flags = ["--public-key", str(public_key), "--person-token", PERSON_TOKEN]
    running = subprocess.Popen(
        [sys.executable, *command.split(), *flags], cwd=root, env={"PATH": os.environ["PATH"]}
    )
    try:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                httpx.get(url)
                break
            except httpx.TransportError:
                assert running.poll() is None
        headers = {"Authorization": f"Bearer {PERSON_TOKEN}"}
        with httpx.Client(base_url=url, headers=headers) as person:
            yield World(url, GitHub(url, "77", key_pair()[0]), person, tmp_path)
    finally:
        running.kill()
        running.wait()


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    """After kill -9 tokens, issues, branches and pull requests are as they were."""
    port = free_port()
    with process(tmp_path, port) as world:
        assert make_repository(world, REPO).status_code == 201
        world.local_issue(user="ada", title="x")
        token = world.edge.installation_token(REPO, WRITE)
        sha = publish(world, token)
    with process(tmp_path, port) as world:
        assert make_repository(world, REPO).status_code == 200
        assert publish(world, token) == sha
        numbers = [i["number"] for i in world.person.get(f"/repos/{REPO}/issues").json()]
        assert numbers == [2, 1]
        assert token.encode() not in (tmp_path / "state" / "github.sqlite3").read_bytes()


def test_a_delivery_that_was_due_is_sent_after_the_restart(tmp_path: Path) -> None:
    """What was recorded but not sent when the process ended is sent by the next one."""
    arrived: queue.Queue[str] = queue.Queue()

    async def receive(request: Request) -> Response:
        arrived.put(request.headers["x-github-event"])
        return Response()

    with running(Starlette(routes=[Route("/", receive, methods=["POST"])])) as url:
        # Nothing is sent here: without its start-up the application has no courier.
        before = TestClient(app(tmp_path / "state", keys()))
        before.headers["Authorization"] = f"Bearer {PERSON_TOKEN}"
        folder = {"full_name": REPO, "path": str(sample(tmp_path / "files"))}
        assert before.post("/_local/repositories", json=folder).status_code == 201
        config = {"url": url, "content_type": "json"}
        hook = {"events": ["issues"], "config": config}
        assert before.post(f"/repos/{REPO}/hooks", json=hook).status_code == 201
        assert before.post(f"/repos/{REPO}/issues", json={"title": "x"}).status_code == 201
        assert arrived.empty()
        with running(app(tmp_path / "state", keys())):
            assert [arrived.get(timeout=20) for _ in range(2)] == ["ping", "issues"]
