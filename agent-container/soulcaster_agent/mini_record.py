"""What mini-swe-agent leaves as its record of a run, turned into a result."""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from soulcaster_agent.engine import EngineResult
from soulcaster_agent.kilo_events import ending, mapping

MOST_BYTES = 64_000_000
# litellm.AuthenticationError: AuthenticationError: OpenAIException - what the server said
WRAPPING = re.compile(r"^(?:litellm\.)?(?:\w+(?:Error|Exception)(?:: | - ))*")
ADVICE = re.compile(r" You can permanently set your API key with .*$", re.DOTALL)
STATUSES = {
    "AuthenticationError": 401,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "RateLimitError": 429,
}


def read_record(path: Path, uid: int) -> dict[str, Any]:
    """Read the record that ``uid`` wrote; empty when there is none that can be read.

    The engine could have put anything in its place: a link to what is not its own, a pipe.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode) or about.st_uid != uid:
                return {}
            return mapping(json.loads(file.read(MOST_BYTES)))
    except (OSError, ValueError, RecursionError):
        return {}


def result(status: int, record: dict[str, Any]) -> EngineResult:
    """Judge the run by its record and exit status."""
    given = record.get("messages")
    messages = [mapping(each) for each in given] if isinstance(given, list) else []
    end = mapping(messages[-1].get("extra")) if messages else {}
    said = last_words(messages)
    match end.get("exit_status"):
        case "Submitted" if status == 0:
            return EngineResult(True, str(end.get("submission") or "").strip() or said, "")
        # It was asked for another command until the engine gave up: it has had its say.
        case "RepeatedFormatError" if status == 0 and (final := only_talk(messages)):
            return EngineResult(True, final, "")
        case "RepeatedFormatError":
            reason = "The model called the engine's tool wrongly again and again."
        case str(name) if name and name != "Submitted":
            reason = error_message(name, str(end.get("exception_str") or ""))
        case _:
            reason = f"The engine {ending(status)}."
    return EngineResult(False, said, reason)


def last_words(messages: list[dict[str, Any]]) -> str:
    """Return the last text that the model gave along with a command."""
    texts = [each.get("content") for each in messages if each.get("role") == "assistant"]
    return next((text.strip() for text in reversed(texts) if isinstance(text, str) and text), "")


def only_talk(messages: list[dict[str, Any]]) -> str:
    """Return what the model said last if it ended its answer by itself and called no tool."""
    refused = [each for each in messages if each.get("role") == "user"][-1:]
    response = mapping(mapping(refused[0].get("extra")).get("response")) if refused else {}
    choices = response.get("choices")
    choice = mapping(choices[0]) if isinstance(choices, list) and choices else {}
    message = mapping(choice.get("message"))
    if choice.get("finish_reason") != "stop" or message.get("tool_calls"):
        return ""
    return str(message.get("content") or "").strip()


def error_message(name: str, said: str) -> str:
    """Put the exception that ended the run into words: the model's own, where it had some."""
    words = ADVICE.sub("", WRAPPING.sub("", said)).strip() or name
    if status := STATUSES.get(name):
        return f"The model answered {status}: {words}"
    if said.startswith("litellm."):
        return f"The model failed: {words}"
    return f"The engine reported {name}: {words}"
