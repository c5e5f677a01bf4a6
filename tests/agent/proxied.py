"""A model proxy with a scripted model behind it, and the engine's end of it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from soulcaster_agent.budget import Budget, Meter, Price, Spent
from soulcaster_agent.conversation import Conversation
from soulcaster_agent.job import Model
from soulcaster_agent.proxy import ModelProxy
from soulcaster_agent.redact import Redactor
from tests.agent.control_plane import API_KEY
from tests.agent.upstream import Upstream, serving

ASKED = {"model": "scripted", "messages": [{"role": "user", "content": "Hello"}]}


@dataclass
class Proxied:
    """A proxy in front of a scripted model, and the engine's end of it."""

    proxy: ModelProxy
    meter: Meter
    conversation: Conversation
    stops: list[str] = field(default_factory=list)

    def ask(self, body: Any = None, path: str = "/chat/completions", **kwargs: Any) -> Any:
        """Send what an engine would; returns the whole answer."""
        given = self.proxy.given
        headers = kwargs.pop("headers", {"Authorization": f"Bearer {given.api_key}"})
        method = kwargs.pop("method", "POST")
        url = kwargs.pop("base", given.base_url) + path
        with httpx.Client(timeout=20) as client:
            return client.request(method, url, json=body or ASKED, headers=headers, **kwargs)

    def spent(self) -> Spent:
        """What was spent, once every call is settled."""
        self.meter.wait_idle(10)
        return self.meter.spent


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serving() as upstream:
        yield upstream


@pytest.fixture
def proxied(upstream: Upstream) -> Iterator[Callable[..., Proxied]]:
    """Make a proxy; it is closed at the end of the test."""
    made: list[ModelProxy] = []

    def make(
        budget: Budget | None = None,
        *,
        uid: int | None = None,
        base_url: str = "",
        granted: float | None = None,
    ) -> Proxied:
        model = Model(base_url or f"{upstream.address}/v1", "scripted", API_KEY)
        meter = Meter(budget or Budget(), Price(read=2, written=10), granted)
        conversation = Conversation(Redactor([API_KEY]))
        stops: list[str] = []
        proxy = ModelProxy(
            model,
            meter,
            conversation,
            os.getuid() if uid is None else uid,
            lambda: stops.append("stop"),
        )
        made.append(proxy.__enter__())
        return Proxied(proxy, meter, conversation, stops)

    yield make
    for proxy in made:
        proxy.__exit__(None, None, None)
