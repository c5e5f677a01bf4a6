"""The model proxy, between a real HTTP client and a scripted model's server."""

import http.client
import json
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from local.serve import free_port
from soulcaster_agent.budget import Spent
from tests.agent.control_plane import API_KEY
from tests.agent.proxied import ASKED, Proxied, proxied, upstream
from tests.agent.upstream import USAGE, Upstream, completion, events, said

__all__ = ["proxied", "upstream"]


def test_s22_the_key_is_added_behind_the_engines_back(
    proxied: Callable[..., Proxied], upstream: Upstream
) -> None:
    """The model's server gets the key, and the engine's token reaches nobody."""
    world = proxied()
    assert world.ask().json() == completion(said("Done."), USAGE)
    assert upstream.authorizations == [f"Bearer {API_KEY}"]
    assert world.proxy.given.api_key not in json.dumps(upstream.asked)
    assert API_KEY not in repr(world.proxy.given)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", "/chat/completions"), ("POST", "/completions"), ("POST", "/embeddings")),
        *(("POST", "/chat/completions?x=1"), ("POST", "/chat/completions/"), ("GET", "/files")),
        *(("POST", "/../v1/files"), ("DELETE", "/models/scripted"), ("POST", "/models")),
    ],
)
def test_s22_other_paths_are_refused(
    proxied: Callable[..., Proxied], upstream: Upstream, method: str, path: str
) -> None:
    """One path of the model's server can be reached, and nothing else of it."""
    assert proxied().ask(path=path, method=method).status_code in {404, 501}
    assert upstream.asked == []


def test_s22_a_wrong_token_is_refused(proxied: Callable[..., Proxied], upstream: Upstream) -> None:
    """Whoever finds the port has nothing."""
    world = proxied()
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {API_KEY}"}):
        assert world.ask(headers=headers).status_code == 401
    assert upstream.asked == []


def test_s22_another_user_is_refused(proxied: Callable[..., Proxied], upstream: Upstream) -> None:
    """A stolen token is worth nothing to a process of somebody else."""
    assert proxied(uid=os.getuid() + 1).ask().status_code == 401
    assert upstream.asked == []


@pytest.mark.parametrize(
    "body",
    [
        {**ASKED, "model": "dearer"},
        {"messages": []},
        {"model": "scripted", "messages": "x"},
        [1],
    ],
)
def test_s22_other_models_are_refused(
    proxied: Callable[..., Proxied], upstream: Upstream, body: Any
) -> None:
    """The job's model is pinned, and what is no completion is not passed on."""
    answer = proxied().ask(body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert upstream.asked == []


def test_what_costs_more_is_left_out(proxied: Callable[..., Proxied], upstream: Upstream) -> None:
    """Several answers, dearer service and the model's own tools are not bought."""
    more = {"n": 9, "service_tier": "priority", "web_search_options": {}, "temperature": 0}
    proxied().ask(ASKED | more | {"max_tokens": 10**9})
    assert upstream.asked == [ASKED | {"temperature": 0, "max_tokens": 32_000}]


def test_the_list_of_models_is_the_jobs_model(proxied: Callable[..., Proxied]) -> None:
    """An engine that asks for the list sees one model."""
    answer = proxied().ask(path="/models", method="GET")
    assert [each["id"] for each in answer.json()["data"]] == ["scripted"]


def test_a_stream_arrives_while_it_is_made(
    proxied: Callable[..., Proxied], upstream: Upstream
) -> None:
    """The engine sees a piece before the model has written the next one."""
    seen = threading.Event()
    first, *others = events(said("Done."))

    def slowly() -> Iterator[bytes]:
        yield first
        yield b"".join(others) if seen.wait(20) else b"the first piece was held back"

    upstream.answer = lambda _: StreamingResponse(slowly(), media_type="text/event-stream")
    given = proxied().proxy.given
    headers = {"Authorization": f"Bearer {given.api_key}"}
    url = f"{given.base_url}/chat/completions"
    with httpx.stream("POST", url, json=ASKED | {"stream": True}, headers=headers) as answer:
        pieces = answer.iter_raw()
        got = next(pieces)
        seen.set()
        assert got + b"".join(pieces) == b"".join([first, *others])


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_the_models_refusals_are_passed_on(
    proxied: Callable[..., Proxied], upstream: Upstream, status: int
) -> None:
    """Status, words and Retry-After reach the engine without the key, and cost nothing."""
    error = {"error": {"message": f"no, {API_KEY}"}}
    upstream.answer = lambda _: JSONResponse(error, status, {"Retry-After": "7", "X-Other": "x"})
    world = proxied()
    answer = world.ask(ASKED | {"stream": True})
    assert answer.status_code == status
    assert answer.headers["retry-after"] == "7"
    assert "x-other" not in answer.headers
    assert answer.json()["error"]["message"] == "no, [redacted]"
    assert world.spent() == Spent()


def test_a_redirect_does_not_carry_the_key_away(
    proxied: Callable[..., Proxied], upstream: Upstream
) -> None:
    """The key goes to the configured address and to no other."""
    upstream.answer = lambda _: RedirectResponse(f"{upstream.address}/v1/chat/completions", 307)
    answer = proxied().ask()
    assert answer.status_code == 307
    assert "location" not in answer.headers
    assert len(upstream.asked) == 1


def test_a_server_that_is_not_there_is_a_502(proxied: Callable[..., Proxied]) -> None:
    """The engine hears of it in the protocol's words, and it costs nothing."""
    world = proxied(base_url=f"http://127.0.0.1:{free_port()}/v1")
    answer = world.ask()
    assert answer.status_code == 502
    assert "can't be reached" in answer.json()["error"]["message"]
    assert world.spent() == Spent()


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Transfer-Encoding", "chunked", 411),
        ("Content-Length", "99999999", 413),
        ("Content-Length", "-1", 411),
    ],
)
def test_a_request_without_end_is_refused(
    proxied: Callable[..., Proxied], name: str, value: str, status: int
) -> None:
    """The supervisor's memory is not the engine's to fill."""
    given = proxied().proxy.given
    connection = http.client.HTTPConnection(httpx.URL(given.base_url).netloc.decode(), timeout=20)
    connection.putrequest("POST", "/v1/chat/completions")
    connection.putheader("Authorization", f"Bearer {given.api_key}")
    connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_an_answer_that_is_not_json_is_passed_on(
    proxied: Callable[..., Proxied], upstream: Upstream
) -> None:
    """The proxy doesn't judge answers: it passes them on, and counts what was read."""
    upstream.answer = lambda _: Response(b"\xff<html>", 200, media_type="text/html")
    world = proxied()
    assert world.ask().content == b"\xff<html>"
    assert world.spent().read > 0
