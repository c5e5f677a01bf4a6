"""The HTTP side of the emulated index.

Beside the vendor's endpoints there is ``POST /_local/lag {"seconds": 2.5, "held": true}``
(either or both): it changes the delay between an upsert and its effect on queries, also for
upserts already waiting. Held, it lasts until released.
"""

import contextlib
import hmac
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.vector.operations import OPERATIONS, RefusedError, Vectors
from local.vector.store import Store

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


def app(state: Path, token: str, dimension: int, lag: float = 0.0) -> Starlette:
    """An index of ``dimension`` kept in ``state/vector``; queries see an upsert after ``lag``
    seconds, reads by id at once. Everything found in ``state`` counts as indexed.
    """
    store = Store(state / "vector")
    vectors = Vectors(store, dimension, lag)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    async def answer(request: Request) -> JSONResponse:
        try:
            _authorise(request, token)
            body = _body(await request.body())
            if request.url.path == "/_local/lag" and request.method == "POST":
                return JSONResponse(vectors.set_lag(body))
            return JSONResponse({"result": _result(vectors, request, body)})
        except RefusedError as error:
            print(f"vector: refused: {error}", file=sys.stderr)
            return JSONResponse({"error": str(error), "status": error.status}, error.status)

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)], lifespan=lifespan)


def _authorise(request: Request, token: str) -> None:
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise RefusedError("Unauthorized: Invalid auth token", 401)


def _body(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None  # the client sends nothing where there is nothing
    except ValueError as error:
        raise RefusedError("the body is not JSON", 400) from error


def _result(vectors: Vectors, request: Request, body: Any) -> Any:
    operation, _, namespace = request.url.path.removeprefix("/").partition("/")
    if request.method != "POST" or operation not in OPERATIONS:
        raise RefusedError(f"{request.method} {request.url.path} is not emulated", 501)
    if operation == "reset" and "all" in request.query_params:
        return vectors.reset_all()
    return OPERATIONS[operation](vectors, namespace, body)
