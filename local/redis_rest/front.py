"""Upstash's REST protocol for Redis, in front of a real Valkey.

``POST /`` runs one command, ``POST /pipeline`` and ``POST /multi-exec`` run many. Commands
that block, subscribe or belong to a connection are refused, as by the vendor.
"""

import asyncio
import base64
import contextlib
import hmac
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local import serve
from local.redis_rest import valkey
from local.redis_rest.resp import Connection, Failure, Reply, Status

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
REFUSED_BECAUSE = {
    "it waits": "BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF",
    "it opens a stream": "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE "
    "MONITOR SYNC PSYNC",
    "it changes a connection, and all requests share one": "AUTH HELLO CLIENT SELECT QUIT RESET "
    "MULTI EXEC DISCARD WATCH UNWATCH ASKING READONLY READWRITE REPLCONF",
    "it is the operator's": "ACL BGREWRITEAOF BGSAVE CLUSTER CONFIG DEBUG FAILOVER LATENCY MIGRATE "
    "MODULE REPLICAOF SAVE SHUTDOWN SLAVEOF SLOWLOG SWAPDB",
}
REFUSED = {name: why for why, names in REFUSED_BECAUSE.items() for name in names.split()}


class RefusedError(Exception):
    """A request that is not run, with the status and the words to answer it with."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def app(address: Path, token: str) -> Starlette:
    """The REST front of the Valkey listening on the unix socket ``address``."""
    server = Connection()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await asyncio.get_running_loop().create_unix_connection(lambda: server, str(address))
        yield
        server.close()

    async def answer(request: Request) -> JSONResponse:
        try:
            _authorise(request, token)
            return await _run(request, server)
        except RefusedError as error:
            if error.status != 401:
                print(f"redis_rest: refused: {error}", file=sys.stderr)
            return JSONResponse({"error": str(error)}, error.status)
        except ConnectionError as error:
            return JSONResponse({"error": f"ERR {error}"}, 500)

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)], lifespan=lifespan)


@contextlib.contextmanager
def started(state: Path, token: str) -> Iterator[str]:
    """For tests: Valkey on ``state/redis`` and its front in a thread; yields the front's URL."""
    with valkey.running(state / "redis") as address, serve.running(app(address, token)) as url:
        yield url


def _authorise(request: Request, token: str) -> None:
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise RefusedError("WRONGPASS invalid or missing auth token", 401)


async def _run(request: Request, server: Connection) -> JSONResponse:
    endpoint = f"{request.method} {request.url.path}"
    if endpoint not in {"POST /", "POST /pipeline", "POST /multi-exec"}:
        raise RefusedError(f"ERR {endpoint} is not emulated", 501)
    if request.headers.get("upstash-response-format", "json") != "json":
        raise RefusedError("ERR Upstash-Response-Format is not emulated", 501)
    encoded = request.headers.get("upstash-encoding") == "base64"
    try:
        # numbers stay as they were written: Redis knows only text
        body = json.loads(await request.body(), parse_int=str, parse_float=str)
    except ValueError as error:
        raise RefusedError("ERR failed to parse the request as JSON") from error

    if endpoint == "POST /":
        (reply,) = await server.call([_words(body)])
        return JSONResponse(_outcome(reply, encoded), 400 if isinstance(reply, Failure) else 200)

    if not isinstance(body, list) or not body:
        raise RefusedError("ERR a pipeline is a non-empty array of commands")
    commands = [_words(command) for command in body]
    if endpoint == "POST /pipeline":
        return JSONResponse(_outcomes(await server.call(commands), encoded))
    *_, executed = await server.call([[b"MULTI"], *commands, [b"EXEC"]])
    if isinstance(executed, Failure):  # none of them ran
        return JSONResponse(_outcome(executed, encoded), 400)
    assert isinstance(executed, list)
    return JSONResponse(_outcomes(executed, encoded))


def _words(command: Any) -> list[bytes]:
    if not (
        isinstance(command, list) and command and all(isinstance(word, str) for word in command)
    ):
        raise RefusedError("ERR a command is a non-empty array of strings and numbers")
    name, *arguments = (word.upper() for word in command)
    # what follows STREAMS are keys, and a key may be called BLOCK
    options = arguments[: arguments.index("STREAMS")] if "STREAMS" in arguments else []
    waits = name in {"XREAD", "XREADGROUP"} and "BLOCK" in options
    if why := "it waits" if waits else REFUSED.get(name):
        raise RefusedError(f"ERR Command is not available: '{name}' ({why})")
    try:
        return [word.encode() for word in command]
    except UnicodeEncodeError as error:
        raise RefusedError("ERR half of a surrogate pair is not text") from error


def _outcomes(replies: list[Reply], encoded: bool) -> list[Any]:
    return [_outcome(reply, encoded) for reply in replies]


def _outcome(reply: Reply, encoded: bool) -> Any:
    if isinstance(reply, Failure):
        return {"error": reply.message}
    return {"result": _shown(reply, encoded)}


def _shown(reply: Reply, encoded: bool) -> Any:
    match reply:
        case bytes():
            return base64.b64encode(reply).decode() if encoded else reply.decode(errors="replace")
        case Status("OK"):
            return "OK"  # the one string that is never encoded
        case Status(text) | Failure(text):
            return _shown(text.encode(), encoded)
        case list():
            return [_shown(item, encoded) for item in reply]
        case _:
            return reply
