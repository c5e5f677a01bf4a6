"""Invokes the functions of a stack, as Lambda does: the whole local runner as a library."""

import json
import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from local.lambdas.changes import Folders
from local.lambdas.pool import Pool
from local.lambdas.runtime_api import GoneError
from local.lambdas.stack import Function, Stack
from local.lambdas.workers import Instance, Invocation, Outcome, log_of

LARGEST_EVENT = 6 * 1024 * 1024  # bytes of JSON in a synchronous invocation


class TooLargeError(Exception):
    """The event is larger than Lambda takes."""


@dataclass(frozen=True)
class Result:
    """``error`` is None or ``Unhandled``, and then ``payload`` is the vendor's error object.

    Times are in milliseconds; ``init_ms`` is 0 unless the instance was ``cold``.
    """

    payload: Any
    error: str | None
    cold: bool
    init_ms: float
    duration_ms: float


class Runner:
    """Runs a stack's functions in processes of their own; a context manager.

    ``platform`` is added to each function's environment. At most ``concurrency``
    instances of a function run at once, fewer where the template reserves fewer.
    An instance that was idle for ``idle_seconds`` is ended.
    """

    def __init__(
        self,
        stack: Stack,
        platform: Mapping[str, str],
        logs: Path,
        concurrency: int = 4,
        idle_seconds: float = 300,
    ) -> None:
        self.stack = stack
        self.concurrency = concurrency
        self._idle_seconds = idle_seconds
        self._logs = {id_: log_of(logs, function) for id_, function in stack.functions.items()}
        self._pools = {
            id_: self._pool(function, platform, concurrency)
            for id_, function in stack.functions.items()
        }
        self._closed = threading.Event()
        threading.Thread(target=self._end_idle, daemon=True).start()

    def invoke(
        self,
        function_id: str,
        event: Any,
        *,
        request_id: str | None = None,
        trace: str | None = None,
    ) -> Result:
        """Invoke a function by its logical id and wait for the outcome.

        Raises KeyError for an unknown function, TooLargeError for an event above 6 MB
        and ClosedError once the runner has ended.
        """
        body = json.dumps(event, separators=(",", ":")).encode()
        if len(body) > LARGEST_EVENT:
            raise TooLargeError(f"the event has {len(body)} bytes")
        invocation = Invocation(request_id or str(uuid.uuid4()), body, trace or new_trace())
        pool = self._pools[function_id]
        while True:
            instance = pool.take()
            try:
                return self._invoke(instance, invocation)
            except GoneError:
                continue  # it ended while it was idle: no event was lost
            finally:
                pool.give_back(instance)

    def instances(self) -> dict[str, tuple[int, int]]:
        """How many instances of each function are idle and busy."""
        return {id_: pool.count() for id_, pool in self._pools.items()}

    def close(self) -> None:
        """Kill every instance. What runs now answers with an exit error."""
        self._closed.set()
        for pool in self._pools.values():
            pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pool(self, function: Function, platform: Mapping[str, str], concurrency: int) -> Pool:
        reserved = concurrency if function.concurrency is None else function.concurrency
        log = self._logs[function.id]
        return Pool(
            start=lambda state: Instance(function, platform, log, state),
            state=Folders([function.code, *function.layers]).state,
            cap=min(concurrency, reserved),
        )

    def _invoke(self, instance: Instance, invocation: Invocation) -> Result:
        cold, start = instance.cold, time.monotonic()
        failure = instance.wait_until_ready()
        ready = time.monotonic()
        if failure:
            instance.end()
        outcome = failure or instance.invoke(invocation)
        result = Result(
            payload=outcome.payload,
            error="Unhandled" if outcome.failed else None,
            cold=cold,
            init_ms=(ready - start) * 1000 if cold else 0.0,
            duration_ms=(time.monotonic() - ready) * 1000,
        )
        self._log(instance.function, invocation, result, outcome)
        return result

    def _log(
        self, function: Function, invocation: Invocation, result: Result, outcome: Outcome
    ) -> None:
        """Write Lambda's own lines below the function's output."""
        line = f"REPORT RequestId: {invocation.request_id} Duration: {result.duration_ms:.2f} ms"
        if result.cold:
            line += f" Init Duration: {result.init_ms:.2f} ms"
        if outcome.failed and "stackTrace" not in outcome.payload:
            line = f"{outcome.payload.get('errorMessage')}\n{line}"
        self._logs[function.id].write(f"{line}\n".encode())

    def _end_idle(self) -> None:
        while not self._closed.wait(min(self._idle_seconds / 4, 15)):
            for pool in self._pools.values():
                pool.end_idle(time.monotonic() - self._idle_seconds)


def new_trace() -> str:
    """An X-Ray trace header that is not sampled."""
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"
