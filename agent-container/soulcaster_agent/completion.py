"""The OpenAI-compatible chat completion, as far as the proxy must understand it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# Nothing else is passed on: other fields buy several answers, a dearer service, or
# tools that run at the model's.
PASSED = frozenset(
    {
        *("messages", "tools", "tool_choice", "parallel_tool_calls", "stream", "stop"),
        *("max_tokens", "max_completion_tokens", "temperature", "top_p", "seed"),
        *("frequency_penalty", "presence_penalty", "response_format", "reasoning_effort"),
    }
)
# A server that gives no usage is counted too high rather than too low: as a rule four
# bytes are a token.
BYTES_PER_TOKEN = 3
EVENT = b"data:"


class BadCallError(Exception):
    """The engine's request is no chat completion, or not for the job's model."""


@dataclass(frozen=True)
class Call:
    """One request of the engine: what is passed on, and what it is known to need."""

    body: dict[str, Any]
    wanted: int
    limit_field: str
    shows_usage: bool

    @property
    def streams(self) -> bool:
        """Whether the answer comes in events."""
        return bool(self.body.get("stream"))

    @property
    def read_estimate(self) -> int:
        """The tokens of the request, estimated high."""
        return tokens(json.dumps(self.body, ensure_ascii=False).encode(errors="replace"))

    def limited(self, allowed: int) -> bytes:
        """Return the body to send: it asks for no longer an answer, and for the usage."""
        body = self.body | {self.limit_field: allowed}
        if self.streams:
            body["stream_options"] = {"include_usage": True}
        return json.dumps(body).encode()


def parse_call(raw: bytes, model: str, most: int) -> Call:
    """Read a request for ``model`` that wants at most ``most`` tokens; raises BadCallError."""
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadCallError("the body is not JSON") from None
    if not isinstance(given, dict) or not isinstance(given.get("messages"), list):
        raise BadCallError("the body is no chat completion request")
    if given.get("model") != model:
        raise BadCallError(f"this job's model is {model}")
    limit_field = "max_completion_tokens" if "max_completion_tokens" in given else "max_tokens"
    wanted = given.get(limit_field)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 0 < wanted <= most:
        wanted = most
    options = given.get("stream_options")
    shows_usage = isinstance(options, dict) and bool(options.get("include_usage"))
    body = {name: value for name, value in given.items() if name in PASSED}
    return Call({"model": model} | body, wanted, limit_field, shows_usage)


@dataclass
class Answer:
    """What is learnt from an answer while it passes: usage, size and words."""

    call: Call
    written_bytes: int = 0
    usage: tuple[int, int] | None = None
    said: list[str] = field(default_factory=list)

    def whole(self, raw: bytes) -> None:
        """Take in an answer that came in one piece."""
        self._document(raw)

    def line(self, line: bytes) -> bool:
        """Take in a line of an event stream; return whether the engine is to see it."""
        if not line.startswith(EVENT):
            return True
        data = line.removeprefix(EVENT).strip()
        document = self._document(data)
        # The engine did not ask for this one, and may not know what to do with it.
        return self.call.shows_usage or document.get("choices") != [] or "usage" not in document

    def used(self) -> tuple[int, int]:
        """Return the tokens read and written: as the server says, else estimated high."""
        if self.usage:
            return self.usage
        return self.call.read_estimate, -(-self.written_bytes // BYTES_PER_TOKEN)

    def _document(self, raw: bytes) -> dict[str, Any]:
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            return {}
        if not isinstance(document, dict):
            return {}
        self.usage = usage(document.get("usage")) or self.usage
        choices = document.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict):
                message = choice.get("message") or choice.get("delta")
                self.written_bytes += size_of_texts(message)
                self.said += words(message)
        return document


def usage(given: object) -> tuple[int, int] | None:
    """Tokens read and written, from an answer's usage; None for what makes no sense.

    Some servers leave what was thought out of the completion and have it in the total.
    """
    if not isinstance(given, dict):
        return None
    read, written = given.get("prompt_tokens"), given.get("completion_tokens", 0)
    total = given.get("total_tokens", 0)
    counts = [each for each in (read, written, total) if type(each) is int and each >= 0]
    if len(counts) != 3:
        return None
    return counts[0], max(counts[1], counts[2] - counts[0])


def words(message: object) -> list[str]:
    """Return what a message or a piece of one says and calls, for the record."""
    if not isinstance(message, dict):
        return []
    said = [message["content"]] if isinstance(message.get("content"), str) else []
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            name = function.get("name")
            said += [f"\n[{name}] "] if name else []
            said += [str(function.get("arguments") or "")]
    return said


def size_of_texts(value: object) -> int:
    """Return the bytes of all texts in a JSON value: what was thought counts as well."""
    if isinstance(value, str):
        return len(value.encode(errors="replace"))
    inner = value.values() if isinstance(value, dict) else value
    return sum(map(size_of_texts, inner)) if isinstance(inner, Iterable) else 0


def tokens(raw: bytes) -> int:
    """Return how many tokens a text is at most, as a rule."""
    return -(-len(raw) // BYTES_PER_TOKEN)
