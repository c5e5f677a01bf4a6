"""Lambda's asynchronous invocation: queued, retried, and its last failure kept."""

import json
import sys
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Any

from local.lambdas.pool import ClosedError
from local.lambdas.runner import Result, Runner
from local.lambdas.stack import Function
from local.lambdas.threads import tell

DELAYS = (60.0, 120.0)  # seconds before the first and the second retry


class Asynchronous:
    """Invokes functions without anyone waiting, as EventBridge and schedules do.

    ``send`` puts a text on the queue with a given ARN: where the failures go that the
    template wants kept.
    """

    def __init__(
        self,
        runner: Runner,
        executor: Executor,
        send: Callable[[str, str], None],
        delays: tuple[float, ...] = DELAYS,
    ) -> None:
        self._runner = runner
        self._executor = executor
        self._send = send
        self._delays = delays

    def invoke(self, function_id: str, event: Any) -> None:
        """Accept an event for a function. Raises KeyError for an unknown function."""
        function = self._runner.stack.functions[function_id]
        self._submit(function, event, str(uuid.uuid4()), 1)

    def _submit(self, function: Function, event: Any, request_id: str, attempt: int) -> None:
        attempted = self._executor.submit(self._attempt, function, event, request_id, attempt)
        attempted.add_done_callback(tell)

    def _attempt(self, function: Function, event: Any, request_id: str, attempt: int) -> None:
        try:
            result = self._runner.invoke(function.id, event, request_id=request_id)
        except ClosedError:
            return
        if result.error is None:
            return
        if attempt <= min(function.retries, len(self._delays)):
            delay = self._delays[attempt - 1]
            retry = threading.Timer(delay, self._submit, (function, event, request_id, attempt + 1))
            retry.daemon = True
            retry.start()
            return
        print(f"{function.id}: gave up on {request_id}: {result.payload}", file=sys.stderr)
        if function.failures_to:
            kept = event
            if function.failure_envelope:
                kept = record(function, event, request_id, attempt, result)
            self._send(function.failures_to, json.dumps(kept))


def record(
    function: Function, event: Any, request_id: str, attempts: int, result: Result
) -> dict[str, Any]:
    """What an on-failure destination receives."""
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{function.arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": result.error,
        },
        "responsePayload": result.payload,
    }
