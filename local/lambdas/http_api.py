"""The public door: the template's HTTP API, in front of its functions."""

import asyncio
import sys
from concurrent.futures import Executor

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from local.lambdas import http_event
from local.lambdas.http_event import BadResponseError, Request, Response, message
from local.lambdas.routes import Router
from local.lambdas.runner import Runner, TooLargeError, new_trace

LARGEST_BODY = 10 * 1024 * 1024  # bytes, API Gateway's limit
TOO_LARGE = message(413, "Request Entity Too Large")
FAILED = message(500, "Internal Server Error")
UNAVAILABLE = message(503, "Service Unavailable")
NOT_FOUND = message(404, "Not Found")


def app(runner: Runner, executor: Executor, integration_seconds: float = 30.0) -> Starlette:
    """The HTTP API of a runner's stack; functions are waited for in ``executor``.

    A function that takes longer than ``integration_seconds`` goes on, unheard.
    """
    router = Router(runner.stack.routes)

    async def respond(scope: Scope, receive: Receive) -> Response:
        request = await received(scope, receive)
        if request is None:
            return TOO_LARGE
        found = router.find(request.method, request.path)
        if found is None:
            return NOT_FOUND
        route, variables = found
        trace = new_trace()
        event = http_event.event(request, route, variables, runner.stack.places, trace)
        call = asyncio.get_running_loop().run_in_executor(
            executor, lambda: runner.invoke(route.function, event, trace=trace)
        )
        try:
            result = await asyncio.wait_for(call, integration_seconds)
            response = http_event.response(result.payload) if result.error is None else FAILED
        except TooLargeError:
            return TOO_LARGE
        except TimeoutError:
            return UNAVAILABLE
        except BadResponseError as error:
            print(f"{route.key}: {route.function} gave no response: {error}", file=sys.stderr)
            return FAILED
        response.headers.append(("apigw-requestid", event["requestContext"]["requestId"]))
        return response

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"an HTTP API does not speak {scope['type']}")
        for part in parts(await respond(scope, receive), scope["method"]):
            await send(part)

    return Starlette(routes=[Mount("/", app=answer)])


async def received(scope: Scope, receive: Receive) -> Request | None:
    """The whole request, or None when its body is too large.

    That is read to its end too, unkept: a client still sending would miss the answer.
    """
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    body = bytearray()
    size, more = 0, True
    while more:
        part = await receive()
        size += len(part.get("body", b""))
        if size <= LARGEST_BODY:
            body += part.get("body", b"")
        more = part.get("more_body", False)
    if size > LARGEST_BODY:
        return None
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=bytes(body),
        source_ip=scope["client"][0],
        protocol=f"HTTP/{scope['http_version']}",
    )


def parts(response: Response, method: str) -> tuple[Message, Message]:
    """The response as ASGI messages; no body where HTTP has none."""
    headers = [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in response.headers
    ]
    bare = response.status in {204, 304}
    if not bare:
        headers.append((b"content-length", str(len(response.body)).encode()))
    start = {"type": "http.response.start", "status": response.status, "headers": headers}
    body = b"" if bare or method == "HEAD" else response.body
    return start, {"type": "http.response.body", "body": body}
