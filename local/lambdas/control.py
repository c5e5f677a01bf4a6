"""The runner's own door, on a port that the public API does not share."""

import asyncio
import json
import uuid
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.lambdas.asynchronous import Asynchronous
from local.lambdas.event_pattern import matches
from local.lambdas.runner import Runner, TooLargeError
from local.lambdas.stack import Stack

type Invoke = Callable[[str, Any], None]


class Control:
    """Answers for one runner; functions are waited for in ``executor``."""

    def __init__(self, runner: Runner, asynchronous: Asynchronous, executor: Executor) -> None:
        self._runner = runner
        self._asynchronous = asynchronous
        self._executor = executor

    async def invoke(self, request: Request) -> Response:
        """Invoke a function as Lambda's Invoke does, waiting or not."""
        name = request.path_params["function"]
        known = self._runner.stack.functions.values()
        function = next((f for f in known if name in {f.id, f.name, f.arn}), None)
        if function is None:
            return refused(404, "ResourceNotFoundException", f"Function not found: {name}")
        try:
            event = json.loads(await request.body() or b"{}")
        except ValueError as error:
            return refused(400, "InvalidRequestContentException", str(error))
        if request.headers.get("x-amz-invocation-type") == "Event":
            self._asynchronous.invoke(function.id, event)
            return Response(status_code=202)
        try:
            result = await asyncio.get_running_loop().run_in_executor(
                self._executor, partial(self._runner.invoke, function.id, event)
            )
        except TooLargeError as error:
            return refused(413, "RequestTooLargeException", str(error))
        headers = {
            "X-Amz-Executed-Version": "$LATEST",
            "X-Local-Cold": str(result.cold).lower(),
            "X-Local-Init-Ms": f"{result.init_ms:.1f}",
            "X-Local-Duration-Ms": f"{result.duration_ms:.1f}",
        }
        if result.error:
            headers["X-Amz-Function-Error"] = result.error
        return JSONResponse(result.payload, headers=headers)

    async def events(self, request: Request) -> Response:
        """Put one event on the bus; names the rules that it matched."""
        try:
            event = json.loads(await request.body())
            missing = {"source", "detail-type", "detail"} - event.keys()
        except (ValueError, AttributeError):
            return refused(400, "InvalidEvent", "the body is not an event")
        if missing:
            return refused(400, "InvalidEvent", f"the event lacks {', '.join(sorted(missing))}")
        rules = publish(self._runner.stack, event, self._asynchronous.invoke)
        return JSONResponse({"rules": rules}, status_code=202)

    async def status(self, _: Request) -> Response:
        """What runs, and what makes it run."""
        stack = self._runner.stack
        return JSONResponse(
            {
                "functions": {
                    id_: {"idle": idle, "busy": busy}
                    for id_, (idle, busy) in self._runner.instances().items()
                },
                "routes": {route.key: route.function for route in stack.routes},
                "sqs_mappings": [asdict(mapping) for mapping in stack.sqs_mappings],
                "schedules": [asdict(schedule) for schedule in stack.schedules],
                "rules": [asdict(rule) for rule in stack.rules],
                "queues": {queue.id: queue.url for queue in stack.queues.values()},
                "buckets": {bucket.id: bucket.name for bucket in stack.buckets},
                "secrets": {secret.id: secret.arn for secret in stack.secrets},
                "tasks": [asdict(task) for task in stack.tasks],
            }
        )


def app(runner: Runner, asynchronous: Asynchronous, executor: Executor) -> Starlette:
    """The control door; Lambda's own Invoke path is served too, for a real Lambda client."""
    control = Control(runner, asynchronous, executor)
    vendor = "/2015-03-31/functions/{function}/invocations"
    return Starlette(
        routes=[
            Route("/_local/invoke/{function}", control.invoke, methods=["POST"]),
            Route(vendor, control.invoke, methods=["POST"]),
            Route("/_local/events", control.events, methods=["POST"]),
            Route("/_local/status", control.status, methods=["GET"]),
        ]
    )


def publish(stack: Stack, event: dict[str, Any], invoke: Invoke) -> list[str]:
    """Give an event to each function whose rule matches it; the ids of those rules.

    What EventBridge itself adds to an event is added where it is missing.
    """
    places = stack.places
    whole = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "account": places.account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": places.region,
        "resources": [],
    } | event
    matching = [rule for rule in stack.rules if matches(rule.pattern, whole)]
    for rule in matching:
        for function in rule.functions:
            invoke(function, whole)
    return [rule.id for rule in matching]


def refused(status: int, kind: str, text: str) -> Response:
    """A refusal in the shape of AWS's JSON errors."""
    return JSONResponse(
        {"Type": "User", "Message": text}, status_code=status, headers={"x-amzn-errortype": kind}
    )
