"""The replaying model speaks the chat-completions protocol and never makes anything up."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.model import app, load
from local.serve import running

KEY = "key-of-the-test"
WORKDIR = '/home/someone/a "repo"'
STEPS = [
    {
        "content": "I look.",
        "tool_calls": [
            {"name": "read", "arguments": {"filePath": "{workdir}/a.py"}},
            {"name": "bash", "arguments": {"command": "ls", "env": {"n": 1}}},
        ],
    },
    {"content": "Done."},
]
RECORDINGS: list[dict[str, Any]] = [
    {"name": "upload", "match": ["upload", "crash"], "steps": STEPS},
    {"name": "search", "match": ["search"], "steps": STEPS},
]


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


def request(*messages: dict[str, Any], **change: Any) -> dict[str, Any]:
    asked = {"model": "replay", "messages": list(messages), "tools": [tool("read"), tool("bash")]}
    return {**asked, **change}


USER = {
    "role": "user",
    "content": [
        {"type": "text", "text": "The upload makes it crash.\nWorking directory: /elsewhere"},
        {"type": "text", "text": f"<environment>\nWorking directory: {WORKDIR}\n</environment>"},
    ],
}
FIRST = {"role": "assistant", "content": "I look.", "tool_calls": []}


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    for recording in RECORDINGS:
        (tmp_path / f"{recording['name']}.json").write_text(json.dumps(recording))
    return tmp_path


@pytest.fixture
def client(recordings: Path) -> Iterator[httpx.Client]:
    with (
        running(app(load(recordings), KEY)) as url,
        httpx.Client(base_url=url, headers={"authorization": f"Bearer {KEY}"}) as client,
    ):
        yield client


def ask(client: httpx.Client, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = client.post("/v1/chat/completions", json=asked)
    return answer.status_code, answer.json()


def test_a_step_is_played_with_its_tool_calls(client: httpx.Client) -> None:
    """Text and calls come as recorded, with the folder that the last message line names."""
    status, answer = ask(client, request({"role": "system", "content": "Be good."}, USER))
    assert status == 200
    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    message = answer["choices"][0]["message"]
    assert message["content"] == "I look."
    assert [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message["tool_calls"]
    ] == [
        ("read", {"filePath": f"{WORKDIR}/a.py"}),
        ("bash", {"command": "ls", "env": {"n": 1}}),
    ]
    assert len({call["id"] for call in message["tool_calls"]}) == 2
    usage = answer["usage"]
    assert usage["prompt_tokens"] > usage["completion_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_the_conversation_decides_the_step(client: httpx.Client) -> None:
    """Asking again gives the same step, an answered one gives the next, and a last one ends."""
    first, again = ask(client, request(USER)), ask(client, request(USER))
    assert first[1]["choices"] == again[1]["choices"]
    done = {"role": "tool", "tool_call_id": "call_0_0", "content": "the file"}
    _, second = ask(client, request(USER, FIRST, done))
    assert second["choices"][0]["message"] == {"role": "assistant", "content": "Done."}
    assert second["choices"][0]["finish_reason"] == "stop"
    status, beyond = ask(client, request(USER, FIRST, done, FIRST, USER))
    assert (status, beyond["error"]["code"]) == (400, "recording_ended")


def test_a_stream_says_what_the_whole_answer_says(client: httpx.Client) -> None:
    """The events put together are the answer without a stream, usage last, then the end."""
    asked = request(USER, stream=True, stream_options={"include_usage": True})
    answer = client.post("/v1/chat/completions", json=asked)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *lines, end = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert end == "[DONE]"
    *chunks, last = [json.loads(line) for line in lines]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    _, whole = ask(client, request(USER))
    (choice,) = whole["choices"]
    assert "".join(delta.get("content", "") for delta in deltas) == choice["message"]["content"]
    assert [call.pop("index") for call in calls] == [0, 1]
    assert calls == choice["message"]["tool_calls"]
    assert chunks[-1]["choices"][0]["finish_reason"] == choice["finish_reason"]
    assert last["choices"] == []
    assert last["usage"] == whole["usage"]


def test_a_request_without_tools_uses_no_step(client: httpx.Client) -> None:
    """A title is a fixed text, whatever the conversation and however far it is."""
    for messages in ([USER], [USER, FIRST, FIRST, FIRST]):
        status, answer = ask(client, request(*messages, tools=[]))
        assert status == 200
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert len(answer["choices"][0]["message"]["content"]) < 50


def test_without_a_recording_it_says_how_to_get_a_model(client: httpx.Client) -> None:
    """Only user messages count, all words must occur, and 401 makes an agent stop at once."""
    said = {"role": "user", "content": "Only the upload."}
    elsewhere = {"role": "assistant", "content": "crash"}
    status, answer = ask(client, request(said, elsewhere))
    assert status == 401
    assert answer["error"]["message"] == (
        "no model is configured: set MODEL_API_KEY and MODEL_BASE_URL to use a real one"
    )


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        (request(USER, tools=[tool("bash")]), 400, "unknown_tool"),
        (request({"role": "user", "content": "search upload crash"}), 400, "ambiguous"),
        (request({"role": "user", "content": "search"}), 400, "no_workdir"),
        (request(USER, model="gpt-5"), 404, "model_not_found"),
        (request(), 400, "invalid_request"),
        (request(messages="hello"), 400, "invalid_request"),
    ],
)
def test_what_it_can_not_play_is_refused(
    client: httpx.Client, asked: dict[str, Any], status: int, code: str
) -> None:
    """A tool not offered, two recordings at once, no folder, another model: each says so."""
    got, answer = ask(client, asked)
    assert (got, answer["error"]["code"]) == (status, code)


def test_only_holders_of_the_key_are_served(client: httpx.Client) -> None:
    """The list of models and the answers need the key; other calls are not emulated."""
    models = client.get("/v1/models")
    assert [model["id"] for model in models.json()["data"]] == ["replay"]
    wrong = {"authorization": "Bearer other"}
    assert client.get("/v1/models", headers=wrong).status_code == 401
    refused = client.post("/v1/chat/completions", json=request(USER), headers=wrong)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    assert client.post("/v1/embeddings", json={}).status_code == 501


@pytest.mark.parametrize(
    "recording",
    [
        "no JSON",
        "[]",
        '{"name": "x", "steps": [{}]}',
        '{"name": "x", "match": [], "steps": [{}]}',
        '{"name": "x", "match": [""], "steps": [{}]}',
        '{"name": "x", "match": ["y"], "steps": []}',
        '{"name": "x", "match": ["y"], "steps": [{"tool_calls": [{"name": "read"}]}]}',
    ],
)
def test_a_broken_recording_stops_the_start(recordings: Path, recording: str) -> None:
    """The file is named, instead of failing in the middle of a fix."""
    (recordings / "broken.json").write_text(recording)
    with pytest.raises(ValueError, match=r"broken\.json"):
        load(recordings)
