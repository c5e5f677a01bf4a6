"""A proxy in front of one emulator: passes calls on, notes them, and fails where it is told."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.tap import Call, Tap

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Of one connection, not of the message: each side has its own.
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}


def app(upstream: str, system: str, tap: Tap) -> Starlette:
    """The proxy for ``system``, whose emulator is at ``upstream``."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with httpx.AsyncClient(timeout=None) as client:
            yield {"client": client}

    async def pass_on(request: Request) -> Response:
        body = await request.body()
        fault = tap.note(Call(system, _what(request, body)))
        if fault is None:
            return await _forwarded(upstream, request, body)
        if fault.applied:
            await _forwarded(upstream, request, body)
        match fault.deed:
            case "kill":
                tap.kill()
                await _hang_up(request)
            case "close":
                await _hang_up(request)
            case "hang":
                await _disconnected(request)
            case status:
                return Response(status_code=status)
        return Response()  # to nobody

    return Starlette(routes=[Route("/{path:path}", pass_on, methods=_METHODS)], lifespan=lifespan)


async def _forwarded(upstream: str, request: Request, body: bytes) -> Response:
    client: httpx.AsyncClient = request.state.client
    target = request.scope["raw_path"].decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    # The Host stays: signatures and links are made of it.
    headers = [
        (name, value)
        for name, value in request.headers.items()
        if name not in _HOP and name != "expect"
    ]
    answer = await client.request(
        request.method,
        f"{upstream}{target}{'?' + query if query else ''}",
        headers=headers,
        content=body,
        follow_redirects=False,
    )
    response = Response(answer.content, answer.status_code)
    for name, value in answer.headers.multi_items():
        if name not in _HOP:
            response.headers.append(name, value)
    return response


async def _hang_up(request: Request) -> None:
    """Close the connection without an answer."""
    # The server has no call for that; what it gave us to receive with belongs to its connection.
    cycle: Any = request.receive
    cycle.__self__.transport.abort()
    await _disconnected(request)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _what(request: Request, body: bytes) -> str:
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    command = _command(body) if request.url.path in ("/", "/pipeline", "/multi-exec") else ""
    return command or f"{request.method} {request.url.path}"


def _command(body: bytes) -> str:
    """A Redis command's name, a script's with what it says that it does."""
    try:
        words = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(words, list) or not words:
        return ""
    if isinstance(words[0], list):
        return f"{len(words)} commands"
    name = str(words[0])
    if name == "EVAL":
        return f"EVAL {str(words[1]).partition('\n')[0].removeprefix('-- ')}"
    return name
