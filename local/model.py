"""An OpenAI-compatible model that replays recordings: it can't think, and says so.

A recording is a JSON file in ``--recordings``:

    {"name": "…", "match": ["words", "…"],
     "steps": [{"content": "…", "tool_calls": [{"name": "read", "arguments": {…}}]}, …]}

It is played for a conversation in whose user messages all of ``match`` occur. The step to play is
the number of assistant messages so far, so asking again gives the same answer. In arguments
``{workdir}`` stands for the folder named in the last line "Working directory: …" of the user and
system messages; the agent's command line ends each user message with such a line.
A request that offers no tools (an agent asking for a title) gets a fixed text and uses no step.
Refusals are 4xx, at which agents stop; a 5xx they would repeat for ever.
"""

import argparse
import hmac
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.serve import serve

MODEL = "replay"
TITLE = "Replay of a recording"
NO_MODEL = "no model is configured: set MODEL_API_KEY and MODEL_BASE_URL to use a real one"
WORKDIR = re.compile(r"^\s*Working directory: *(\S.*?)\s*$", re.MULTILINE)

type Json = dict[str, Any]


class Refused(Exception):  # noqa: N818 - it is an answer
    """An answer other than success, in the protocol's words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Recording:
    """What the model says, step by step, in conversations about something."""

    name: str
    match: tuple[str, ...]
    steps: tuple[Json, ...]


def load(folder: Path) -> list[Recording]:
    """All recordings in ``folder``; raises ``ValueError`` naming the file that is none."""
    recordings = []
    for file in sorted(folder.glob("*.json")):
        try:
            given = json.loads(file.read_text())
            recording = Recording(given["name"], tuple(given["match"]), tuple(given["steps"]))
            called = [call for step in recording.steps for call in step.get("tool_calls", [])]
            whole = all(call["name"] and isinstance(call["arguments"], dict) for call in called)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{file.name} is no recording: {error!r}") from error
        if not (whole and all(recording.match) and recording.match and recording.steps):
            raise ValueError(f"{file.name} matches everything, has no steps or calls nothing")
        recordings.append(recording)
    return recordings


def app(recordings: Sequence[Recording], key: str) -> Starlette:
    """The model ``replay`` for clients that hold ``key``."""

    async def models(request: Request) -> Response:
        _check_key(request, key)
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "soulcaster"}
        return JSONResponse({"object": "list", "data": [model]})

    async def complete(request: Request) -> Response:
        _check_key(request, key)
        asked = await _conversation(request)
        message = _message(recordings, asked)
        if asked.get("stream"):
            return StreamingResponse(_events(asked, message), media_type="text/event-stream")
        return JSONResponse(_completion(asked, message))

    async def other(request: Request) -> Response:
        raise Refused(501, "not_emulated", f"{request.method} {request.url.path} is not emulated")

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/{path:path}", other, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ],
        exception_handlers={Refused: _refusal},
    )


def _refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    print(f"model: refused: {error.status} {error}", file=sys.stderr)
    return JSONResponse(
        {
            "error": {
                "message": str(error),
                "type": "invalid_request_error",
                "param": None,
                "code": error.code,
            }
        },
        error.status,
    )


def _check_key(request: Request, key: str) -> None:
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
        raise Refused(401, "invalid_api_key", "Incorrect API key provided.")


async def _conversation(request: Request) -> Json:
    try:
        asked = await request.json()
    except ValueError:
        asked = None
    messages = asked.get("messages") if isinstance(asked, dict) else None
    if (
        not isinstance(messages, list)
        or not messages
        or not all(isinstance(message, dict) and "role" in message for message in messages)
    ):
        raise Refused(400, "invalid_request", "the body is no conversation in JSON")
    if asked.get("model") != MODEL:
        raise Refused(
            404, "model_not_found", f"The model {asked.get('model')!r} does not exist: use {MODEL}."
        )
    return dict(asked)


def _message(recordings: Sequence[Recording], asked: Json) -> Json:
    """The assistant's message that the conversation has come to."""
    if not asked.get("tools"):
        return {"role": "assistant", "content": TITLE}
    recording = _matching(recordings, _texts(asked, "user"))
    played = sum(message["role"] == "assistant" for message in asked["messages"])
    if played >= len(recording.steps):
        raise Refused(
            400,
            "recording_ended",
            f"{recording.name}: all of its {len(recording.steps)} steps are done",
        )
    step = recording.steps[played]
    message: Json = {"role": "assistant", "content": step.get("content", "")}
    calls = step.get("tool_calls", [])
    if calls:
        message["tool_calls"] = [
            {
                "id": f"call_{played}_{number}",
                "type": "function",
                "function": {"name": call["name"], "arguments": _arguments(asked, call)},
            }
            for number, call in enumerate(calls)
        ]
    offered = {tool["function"]["name"] for tool in asked["tools"]}
    unknown = sorted({call["name"] for call in calls} - offered)
    if unknown:
        raise Refused(
            400,
            "unknown_tool",
            f"{recording.name}, step {played + 1}: calls {', '.join(unknown)}; "
            f"offered are {', '.join(sorted(offered))}",
        )
    return message


def _matching(recordings: Sequence[Recording], said: str) -> Recording:
    found = [one for one in recordings if all(words in said for words in one.match)]
    if not found:
        raise Refused(401, "no_model", NO_MODEL)
    if len(found) > 1:
        names = ", ".join(recording.name for recording in found)
        raise Refused(400, "ambiguous", f"more than one recording matches: {names}")
    return found[0]


def _texts(asked: Json, role: str) -> str:
    """All that ``role`` said; content comes as text or as a list of parts."""
    texts = []
    for message in asked["messages"]:
        content = message.get("content") if message["role"] == role else None
        parts = content if isinstance(content, list) else [{"text": content or ""}]
        texts += [part.get("text", "") for part in parts]
    return "\n".join(texts)


def _arguments(asked: Json, call: Mapping[str, Any]) -> str:
    """The call's arguments as JSON text, with the working directory filled in."""
    arguments = json.dumps(call["arguments"])
    if "{workdir}" not in arguments:
        return arguments
    stated = WORKDIR.findall(_texts(asked, "system") + "\n" + _texts(asked, "user"))
    if not stated:
        raise Refused(400, "no_workdir", "no message states a working directory")
    return arguments.replace("{workdir}", json.dumps(stated[-1])[1:-1])


def _usage(asked: Json, message: Json) -> Json:
    # As a rule four characters are a token.
    read = len(json.dumps([asked["messages"], asked.get("tools", [])])) // 4
    written = len(json.dumps(message)) // 4
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }


def _finish(message: Json) -> str:
    return "tool_calls" if "tool_calls" in message else "stop"


def _head(asked: Json, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{len(asked['messages'])}",
        "object": kind,
        "created": int(time.time()),
        "model": MODEL,
    }


def _completion(asked: Json, message: Json) -> Json:
    choice = {"index": 0, "message": message, "finish_reason": _finish(message)}
    return {
        **_head(asked, "chat.completion"),
        "choices": [choice],
        "usage": _usage(asked, message),
    }


def _events(asked: Json, message: Json) -> Iterator[str]:
    """The message as server-sent events: its text, each call, its end, the usage if asked for."""
    head = _head(asked, "chat.completion.chunk")

    def event(delta: Json, finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"

    yield event({"role": "assistant", "content": message["content"]})
    for number, call in enumerate(message.get("tool_calls", [])):
        yield event({"tool_calls": [{"index": number, **call}]})
    yield event({}, _finish(message))
    if asked.get("stream_options", {}).get("include_usage"):
        usage = {**head, "choices": [], "usage": _usage(asked, message)}
        yield f"data: {json.dumps(usage)}\n\n"
    yield "data: [DONE]\n\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="not used: nothing is kept")
    parser.add_argument("--recordings", type=Path, required=True, help="a folder of JSON files")
    parser.add_argument("--key", required=True, help="the API key that clients must send")
    given = parser.parse_args()
    serve(app(load(given.recordings), given.key), given.port)


if __name__ == "__main__":
    main()
