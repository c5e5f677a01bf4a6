"""What the AWS emulators share: the JSON protocols, vendor-shaped errors and planned faults."""

import json
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ACCOUNT = "123456789012"
COMMON_FAULT = frozenset({"times", "status", "hang", "error", "message", "applied"})

type Args = dict[str, Any]
type Result = dict[str, Any]
type Operation = Callable[[Args, Request], Awaitable[Result]]
type Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


class AwsError(Exception):
    """A refusal as the vendor words it; ``code`` is what the client sees as the error code."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})
        self.details = dict(details or {})


class NotEmulatedError(AwsError):
    """The vendor can do this, the emulator cannot: answered 501 and logged, never guessed."""

    def __init__(self, what: str) -> None:
        super().__init__("NotImplemented", f"{what} is not emulated", status=501)


def log(service: str, line: str) -> None:
    """Write one line about something refused or odd to stderr."""
    print(f"{service}: {line}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Call:
    """One emulated operation and the parameters it understands."""

    run: Operation
    parameters: frozenset[str]


@dataclass
class Faults:
    """Failures a test planned for operations, consumed in order, one per call.

    A fault is an object with ``status`` (answer that HTTP status), ``hang`` (never
    answer), ``error`` with ``message`` (the vendor's error), or one of the service's
    own ``kinds``. With ``applied`` the call takes effect first and only its answer is
    lost. ``times`` repeats the fault.
    """

    service: str
    operations: frozenset[str]
    kinds: frozenset[str] = frozenset()
    planned: dict[str, deque[Result]] = field(default_factory=dict)

    async def plan(self, request: Request) -> Response:
        """``POST /_local/faults``: replace the plan of each operation named in the body."""
        body = await request.json()
        for operation, given in body.items():
            faults = given if isinstance(given, list) else [given]
            unknown = {key for fault in faults for key in fault} - COMMON_FAULT - self.kinds
            unknown |= {operation} - self.operations
            if unknown:
                message = f"not understood: {', '.join(sorted(unknown))}"
                return JSONResponse({"message": message}, status_code=400)
            self.planned[operation] = deque(
                {key: value for key, value in fault.items() if key != "times"}
                for fault in faults
                for _ in range(fault.get("times", 1))
            )
        return JSONResponse({name: list(faults) for name, faults in self.planned.items()})

    async def guard(
        self, operation: str, request: Request, call: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Answer ``call``, or fail as planned; ``request.state.fault`` holds the plan."""
        waiting = self.planned.get(operation)
        fault = waiting.popleft() if waiting else {}
        request.state.fault = fault
        if not fault:
            return await call()
        log(self.service, f"{operation} meets the planned fault {json.dumps(fault)}")
        if fault.get("applied"):
            await call()
        if "status" in fault:
            return Response(status_code=fault["status"])
        if fault.get("hang"):
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response(status_code=408)
        if "error" in fault:
            raise AwsError(fault["error"], fault.get("message", "planned fault"))
        return await call()

    def route(self) -> Route:
        return Route("/_local/faults", self.plan, methods=["POST"])


def require_signed(request: Request) -> None:
    """Refuse a call without a SigV4 header; the signature itself is not checked."""
    if not request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
        raise AwsError("MissingAuthenticationToken", "Missing Authentication Token", status=403)


async def parsed(request: Request, operation: str, call: Call) -> Args:
    """The call's parameters, once they are known to be ones that are emulated."""
    try:
        args = json.loads(await request.body() or b"{}")
    except ValueError:
        args = None
    if not isinstance(args, dict):
        raise AwsError("SerializationException", "the body is not a JSON object")
    unknown = sorted(args.keys() - call.parameters)
    if unknown:
        raise NotEmulatedError(f"{operation} with {', '.join(unknown)}")
    return args


def json_app(
    service: str,
    target: str,
    version: str,
    calls: Mapping[str, Call],
    faults: Faults,
    lifespan: Lifespan | None = None,
) -> Starlette:
    """An AWS JSON service: ``X-Amz-Target: <target>.<operation>`` posted to ``/``."""
    media_type = f"application/x-amz-json-{version}"

    async def answer(request: Request) -> Response:
        name, _, operation = request.headers.get("x-amz-target", "").rpartition(".")
        try:
            require_signed(request)
            call = calls.get(operation) if name == target else None
            if call is None:
                raise NotEmulatedError(request.headers.get("x-amz-target", "no X-Amz-Target"))

            async def run() -> Response:
                result = await call.run(await parsed(request, operation, call), request)
                return Response(json.dumps(result), media_type=media_type)

            return await faults.guard(operation, request, run)
        except AwsError as error:
            log(service, f"{operation or 'a call'} refused: {error.code}: {error.message}")
            body = {"__type": error.code, "message": error.message, **error.details}
            return Response(
                json.dumps(body),
                status_code=error.status,
                headers=error.headers,
                media_type=media_type,
            )

    routes = [Route("/", answer, methods=["POST"]), faults.route()]
    return Starlette(routes=routes, lifespan=lifespan)


def calls_of(table: Iterable[tuple[str, Operation, str]]) -> dict[str, Call]:
    """The calls of a table of (operation, function, parameters separated by spaces)."""
    return {name: Call(run, frozenset(known.split())) for name, run, known in table}
