"""An instance of a function: a forked process that is called as Lambda would call it."""

import importlib
import json
import multiprocessing
import os
import sys
import time
import traceback
import types
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from local.lambdas.stack import Function

_FORKS = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Result:
    """What came of one invocation: the answer as JSON holds it, or the ``error``; in seconds.

    The error of an instance that was killed is ``killed``, of a late one ``timed out``.
    """

    payload: Any
    error: str | None
    seconds: float


@dataclass(frozen=True)
class Context:
    """What Lambda tells a handler about the invocation."""

    aws_request_id: str
    function_name: str
    memory_limit_in_mb: int
    invoked_function_arn: str
    deadline: float

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class Instance:
    """One process of a function; warm from its second invocation on. A context manager."""

    def __init__(self, function: Function, environment: Mapping[str, str], log: Path) -> None:
        _FORKS.set_forkserver_preload(["tests.support.preload"])
        self._function = function
        self._pipe, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(
            target=_serve, args=(theirs, function, dict(environment), log), daemon=True
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The process to kill."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.is_alive()

    def invoke(self, event: Any, ahead_ms: int = 0) -> Result:
        """What the function makes of ``event``, with its clock so far ahead."""
        began = time.monotonic()
        self._pipe.send((json.dumps(event), _facts(self._function), ahead_ms))
        try:
            if not self._pipe.poll(self._function.timeout):
                self._killed()
                return Result(None, "timed out", time.monotonic() - began)
            result: Result = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            self._killed()
            return Result(None, "killed", time.monotonic() - began)
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _killed(self) -> None:
        self._process.kill()
        self._process.join()

    def end(self) -> None:
        """Kill the process."""
        self._killed()
        self._process.close()
        self._pipe.close()


def _facts(function: Function) -> dict[str, Any]:
    return {
        "aws_request_id": str(uuid.uuid4()),
        "function_name": function.name,
        "memory_limit_in_mb": function.memory,
        "invoked_function_arn": function.arn,
        "deadline": time.monotonic() + function.timeout,
    }


def _serve(pipe: Connection, code: Function, environment: dict[str, str], log: Path) -> None:
    """The process: handle what comes through ``pipe`` until that closes."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = map(str, [code.code, *code.layers])
    module, _, name = code.handler.partition(".")
    function: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), name)
    clock = importlib.import_module("soulcaster.edges.clock")
    while True:
        try:
            event, facts, ahead_ms = pipe.recv()
        except EOFError:
            return
        clock.time = types.SimpleNamespace(  # type: ignore[attr-defined]
            time_ns=lambda ahead=ahead_ms: time.time_ns() + ahead * 1_000_000
        )
        pipe.send(_result(function, json.loads(event), Context(**facts)))
        sys.stdout.flush()


def _result(function: Callable[[Any, Context], Any], event: Any, context: Context) -> Result:
    began = time.monotonic()
    try:
        payload = json.loads(json.dumps(function(event, context)))
        error = None
    except Exception as problem:  # noqa: BLE001 - as Lambda does, whatever it is
        traceback.print_exc()
        payload, error = None, f"{type(problem).__name__}: {problem}"
    return Result(payload, error, time.monotonic() - began)
