"""A receiver of the emulated GitHub's webhooks that keeps what arrives."""

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.serve import running
from soulcaster.rules.sources import github as rules
from tests.local.github_support import REPO, World

SECRET = "s3cret"
DEADLINE_SECONDS = 20


class Hook:
    """Keeps what arrives; answers with ``status``."""

    def __init__(self) -> None:
        self.arrived: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.status = 202
        self.url = ""

    async def receive(self, request: Request) -> Response:
        """Keep one delivery."""
        self.arrived.put((dict(request.headers), await request.body()))
        return Response("noted", self.status)

    def next(self) -> tuple[dict[str, str], dict[str, Any]]:
        """The next delivery; its signature must be right."""
        headers, body = self.arrived.get(timeout=DEADLINE_SECONDS)
        assert rules.verify(headers, body, [SECRET], 0)
        return headers, json.loads(body)


@contextmanager
def receiving() -> Iterator[Hook]:
    """Served from a thread, at ``url``."""
    hook = Hook()
    with running(Starlette(routes=[Route("/", hook.receive, methods=["POST"])])) as url:
        hook.url = url + "/"
        yield hook


@contextmanager
def hooked(world: World, *events: str, repo: str = REPO) -> Iterator[Hook]:
    """A hook of ``repo`` for those events, which has had its ping."""
    with receiving() as hook:
        config = {"url": hook.url, "secret": SECRET, "content_type": "json"}
        body = {"events": list(events), "config": config}
        world.person.post(f"/repos/{repo}/hooks", json=body).raise_for_status()
        headers, _ = hook.next()
        assert headers["x-github-event"] == "ping"
        yield hook
