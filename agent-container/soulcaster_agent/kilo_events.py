"""What ``kilo run --format json`` prints, turned into a log and a result."""

import json
import re
import signal
from typing import Any

from soulcaster_agent.engine import EngineResult
from soulcaster_agent.log import Log

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Events:
    """Reads the lines of one run.

    Remembers the last text, and the last error unless the run went on after it.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._text = ""
        self._error = ""

    def read(self, line: str) -> None:
        """Take in one line; what is not an event is logged as it stands."""
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            if plain := ANSI.sub("", line):
                self._log.engine(plain)
            return
        part = mapping(event.get("part"))
        match event.get("type"):
            case "text":
                self._error = ""
                self._text = str(part.get("text") or "").strip()
                self._log.engine(self._text)
            case "tool_use":
                self._error = ""
                self._log.engine(tool_use(part))
            case "error":
                self._error = error_message(mapping(event.get("error")))
                self._log.engine(f"Error: {self._error}")

    def result(self, status: int) -> EngineResult:
        """Judge the run by its exit status and the errors it printed."""
        if status == 0 and not self._error:
            return EngineResult(True, self._text, "")
        return EngineResult(False, self._text, self._error or f"The engine {ending(status)}.")


def mapping(value: object) -> dict[str, Any]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def ending(status: int) -> str:
    """Say how a process ended."""
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        # Real-time signals have no names.
        name = f"signal {-status}"
    memory = " (the task may have run out of memory)" if name == "SIGKILL" else ""
    return f"was ended by {name}{memory}"


def tool_use(part: dict[str, Any]) -> str:
    """Show one use of a tool: what was asked, and what came of it."""
    state = mapping(part.get("state"))
    asked = mapping(state.get("input"))
    shown = asked.get("command") or asked.get("filePath") or json.dumps(asked, ensure_ascii=False)
    came = state.get("output") or state.get("error") or ""
    return f"[{part.get('tool')}] {shown}\n{came}"


def error_message(error: dict[str, Any]) -> str:
    """Put an error into words: the model's own, with its HTTP status."""
    data = mapping(error.get("data"))
    message = data.get("message") or error.get("name") or "unknown error"
    if status := data.get("statusCode"):
        return f"The model answered {status}: {message}"
    return f"The engine reported: {message}"
