"""One instance of a function: the vendor's runtime client in a process of its own."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from local.lambdas.runtime_api import GoneError, RuntimeApi
from local.lambdas.stack import Function

INIT_SECONDS = 10.0  # on top of the function's own timeout, as a failed init is run again
TIMED_OUT = "Sandbox.Timedout"


@dataclass(frozen=True)
class Invocation:
    """One event on its way to an instance."""

    request_id: str
    event: bytes
    trace: str


@dataclass(frozen=True)
class Outcome:
    """``payload`` is what the function answered, or the vendor's error object."""

    payload: Any
    failed: bool


class Instance:
    """A process that runs one invocation at a time until ``end``; starts at once.

    ``state`` is that of its code folders at the start. The instance never outlives this
    process: on Linux the kernel kills its process group, elsewhere the runtime client
    exits when its connection drops.
    """

    def __init__(
        self, function: Function, platform: Mapping[str, str], log: IO[bytes], state: int
    ) -> None:
        self.function = function
        self.state = state
        self.cold = True
        self.used = time.monotonic()
        self._api = RuntimeApi()
        read, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", function.handler],
                cwd=function.code,
                env=environment(function, platform, self._api.address),
                stdin=read,
                stdout=log,
                stderr=log,
                process_group=0,
            )
            kill_group_at_hangup(read, self._process.pid)
        finally:
            os.close(read)

    def wait_until_ready(self) -> Outcome | None:
        """Wait until the function can take an event; its failure when it can't start.

        Raises GoneError when an instance that was ready before has ended since.
        """
        limit = INIT_SECONDS + self.function.timeout
        try:
            failure = self._api.wait_until_ready(time.monotonic() + limit, self.alive)
        except TimeoutError:
            return failed(TIMED_OUT, f"Init timed out after {limit:.2f} seconds")
        except GoneError:
            if not self.cold:
                raise
            return self._exited("")
        return None if failure is None else Outcome(json.loads(failure), failed=True)

    def invoke(self, invocation: Invocation) -> Outcome:
        """What the function makes of one event, within its timeout."""
        self.cold = False
        request_id, timeout = invocation.request_id, self.function.timeout
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.function.arn,
            "Lambda-Runtime-Trace-Id": invocation.trace,
        }
        deadline = time.monotonic() + timeout
        try:
            self._api.deliver(headers, invocation.event)
            report = self._api.report(request_id, deadline, self.alive)
        except TimeoutError:
            self.end()
            what = f"Task timed out after {timeout:.2f} seconds"
            return failed(TIMED_OUT, f"RequestId: {request_id} Error: {what}")
        except GoneError:
            return self._exited(f"RequestId: {request_id} Error: ")
        if report.kind == "too_large":
            self.end()
            what = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
            return failed("Function.ResponseSizeTooLarge", what)
        return Outcome(json.loads(report.payload), failed=report.kind == "error")

    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """Kill the process and whatever it started. Safe to repeat."""
        if self._lifeline < 0:
            return
        self.kill()
        self._process.wait()
        os.close(self._lifeline)
        self._lifeline = -1
        self._api.close()

    def kill(self) -> None:
        """Kill the process group; the thread that waits for the instance sees it gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended already
            os.killpg(self._process.pid, signal.SIGKILL)

    def _exited(self, prefix: str) -> Outcome:
        code = self._process.wait()
        self.end()
        if code == 0:
            return failed("Runtime.ExitError", f"{prefix}Runtime exited without providing a reason")
        reason = f"exit status {code}"
        if code < 0:
            reason = f"signal: {signal.strsignal(-code) or -code}".lower()
        return failed("Runtime.ExitError", f"{prefix}Runtime exited with error: {reason}")


def failed(kind: str, message: str) -> Outcome:
    return Outcome({"errorType": kind, "errorMessage": message}, failed=True)


def kill_group_at_hangup(pipe: int, group: int) -> None:
    """Have the kernel kill ``group`` when the writing end of its ``pipe`` closes."""
    if sys.platform == "linux":
        fcntl.fcntl(pipe, fcntl.F_SETOWN, -group)
        fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)


def environment(function: Function, platform: Mapping[str, str], api: str) -> dict[str, str]:
    """All that a function's process can see: Lambda's variables, the platform's, the template's.

    Nothing is inherited but PATH.
    """
    region = function.arn.split(":")[3]
    variables = {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(map(str, [function.code, *function.layers])),
        "LAMBDA_TASK_ROOT": str(function.code),
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        # A person's own AWS profile must not reach a function.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    if function.log_level:
        variables["AWS_LAMBDA_LOG_LEVEL"] = function.log_level
    return {**variables, **platform, **function.environment}


def log_of(folder: Path, function: Function) -> IO[bytes]:
    """The file that every instance of a function appends its output to."""
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / f"{function.id}.log").open("ab", buffering=0)
