"""A stub of the model's server: plays its script, and remembers what it was asked."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.serve import running
from tests.agent.control_plane import API_KEY

type Json = dict[str, Any]
USAGE = {"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020}


def said(text: str, *commands: str) -> Json:
    """An assistant's message that may run shell commands."""
    calls = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {
                "name": "bash",
                "arguments": json.dumps({"command": command, "description": "run"}),
            },
        }
        for number, command in enumerate(commands)
    ]
    return {"role": "assistant", "content": text} | ({"tool_calls": calls} if calls else {})


def completion(message: Json, usage: Json | None = None) -> Json:
    """The answer that comes in one piece."""
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    counted = {"usage": usage} if usage else {}
    return {"id": "x", "object": "chat.completion", "choices": [choice]} | counted


def events(message: Json, usage: Json | None = None) -> list[bytes]:
    """The same as server-sent events, with the usage in one of its own."""
    delta = {"role": "assistant", "content": message["content"]}
    called = [{"index": n} | call for n, call in enumerate(message.get("tool_calls", []))]
    finish = "tool_calls" if called else "stop"
    documents: list[Json] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        *({"choices": [{"index": 0, "delta": {"tool_calls": [each]}}]} for each in called),
        {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
        *([{"choices": [], "usage": usage}] if usage else []),
    ]
    head = {"id": "x", "object": "chat.completion.chunk", "model": "scripted"}
    return [
        *(f"data: {json.dumps(head | each)}\n\n".encode() for each in documents),
        b"data: [DONE]\n\n",
    ]


@dataclass
class Upstream:
    """Answers the n-th conversation turn with ``script[n]``, or as ``answer`` says.

    A turn's number is the number of assistant messages before it, so that a repeated
    question has the same answer; the last step is played for ever.
    """

    script: list[Json] = field(default_factory=lambda: [said("Done.")])
    usage: Json | None = field(default_factory=lambda: dict(USAGE))
    answer: Callable[[Json], Response] | None = None
    address: str = ""
    asked: list[Json] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)

    @property
    def model(self) -> dict[str, Any]:
        """What a job says about this model."""
        return {"base_url": f"{self.address}/v1", "api_key": API_KEY, "name": "scripted"}

    async def complete(self, request: Request) -> Response:
        """Play the script."""
        body = await request.json()
        self.asked.append(body)
        self.authorizations.append(request.headers.get("authorization", ""))
        if self.answer:
            return self.answer(body)
        turn = sum(each["role"] == "assistant" for each in body["messages"])
        message = self.script[min(turn, len(self.script) - 1)]
        if body.get("stream"):
            return StreamingResponse(
                iter(events(message, self.usage)), media_type="text/event-stream"
            )
        return JSONResponse(completion(message, self.usage))


@contextmanager
def serving() -> Iterator[Upstream]:
    """Run one on loopback."""
    upstream = Upstream()
    app = Starlette(routes=[Route("/v1/chat/completions", upstream.complete, methods=["POST"])])
    with running(app) as upstream.address:
        yield upstream
