import json
import os
import threading
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local.lambdas.pool import ClosedError
from tests.local.emulated import until
from tests.local.lambdas_support import ended, function, running

ECHO = """
    import os
    def handler(event, context):
        return {"pid": os.getpid(), "event": event}
"""
MISBEHAVE = """
    import os, time
    def handler(event, context):
        match event.get("do"):
            case "raise":
                raise LookupError("nothing there")
            case "exit":
                os._exit(3)
            case "leave":
                os._exit(0)
            case "hang":
                time.sleep(3600)
            case "shout":
                return "x" * (6 * 1024 * 1024 + 200)
        return os.getpid()
"""


def test_an_exception_is_an_error_and_the_instance_lives(tmp_path: Path) -> None:
    """A handler's exception comes back in Lambda's shape; the process is kept."""
    with running(tmp_path, {"F": function(tmp_path, "f", MISBEHAVE)}) as runner:
        pid = runner.invoke("F", {}).payload
        result = runner.invoke("F", {"do": "raise"}, request_id="abc")
        assert result.error == "Unhandled"
        assert result.payload["errorType"] == "LookupError"
        assert result.payload["errorMessage"] == "nothing there"
        assert result.payload["requestId"] == "abc"
        assert "app.py" in result.payload["stackTrace"][0]
        assert runner.invoke("F", {}).payload == pid


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        ("exit", "Runtime.ExitError", "RequestId: abc Error: Runtime exited with error: exit st"),
        ("leave", "Runtime.ExitError", "RequestId: abc Error: Runtime exited without providing"),
        ("hang", "Sandbox.Timedout", "RequestId: abc Error: Task timed out after 1.00 seconds"),
        ("shout", "Function.ResponseSizeTooLarge", "Response payload size exceeded"),
    ],
)
def test_a_lost_instance_is_replaced(tmp_path: Path, do: Any, kind: Any, message: Any) -> None:
    """A crash, a timeout or an oversized answer has the vendor's error, and ends the process."""
    with running(tmp_path, {"F": function(tmp_path, "f", MISBEHAVE, Timeout=1)}) as runner:
        pid = runner.invoke("F", {}).payload
        result = runner.invoke("F", {"do": do}, request_id="abc")
        assert result.error == "Unhandled"
        assert result.payload["errorType"] == kind
        assert result.payload["errorMessage"].startswith(message)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        after = runner.invoke("F", {})
        assert after.cold
        assert after.payload != pid


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("import nowhere", "Runtime.ImportModuleError", "Unable to import module 'app'"),
        ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def (", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("raise LookupError('early')", "LookupError", "early"),
        ("import os; os._exit(1)", "Runtime.ExitError", "Runtime exited with error"),
    ],
)
def test_a_function_that_cannot_start_says_why(
    tmp_path: Path, source: Any, kind: Any, message: Any
) -> None:
    """A failed start is the result of the invocation, in the vendor's shape."""
    with running(tmp_path, {"F": function(tmp_path, "f", source)}) as runner:
        result = runner.invoke("F", {})
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == kind
    assert result.payload["errorMessage"].startswith(message)


def test_a_process_that_died_while_idle_costs_nothing(tmp_path: Path) -> None:
    """The next invocation starts anew instead of failing."""
    with running(tmp_path, {"F": function(tmp_path, "f", ECHO)}) as runner:
        pid = runner.invoke("F", {}).payload["pid"]
        os.kill(pid, 9)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        result = runner.invoke("F", {})
        assert result.error is None
        assert result.cold


def test_closing_ends_busy_and_idle_processes_and_their_children(tmp_path: Path) -> None:
    """After close nothing runs any more, not even what a function started itself."""
    source = """
        import os, pathlib, subprocess, time
        def handler(event, context):
            child = subprocess.Popen(["sleep", "3600"])
            pathlib.Path(event).write_text(f"[{os.getpid()}, {child.pid}]")
            time.sleep(3600)
    """
    note = tmp_path / str(uuid.uuid4())
    with running(tmp_path, {"F": function(tmp_path, "f", source, Timeout=900)}) as runner:
        results = []
        thread = threading.Thread(target=lambda: results.append(runner.invoke("F", str(note))))
        thread.start()
        until(lambda: note.exists() and note.read_text().endswith("]"))
        runner.close()
        thread.join()
        assert results[0].payload["errorType"] == "Runtime.ExitError"
        for pid in json.loads(note.read_text()):
            until(partial(ended, pid))
        with pytest.raises(ClosedError):
            runner.invoke("F", "")
