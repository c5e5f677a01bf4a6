"""The model proxy, between a real HTTP client and a scripted model's server."""

import http.client
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from local.serve import free_port
from soulcaster_agent.budget import Budget, Meter, Price, Spent
from soulcaster_agent.conversation import Conversation
from soulcaster_agent.job import Model
from soulcaster_agent.proxy import ModelProxy
from soulcaster_agent.redact import Redactor
from tests.agent.control_plane import API_KEY
from tests.agent.upstream import USAGE, Upstream, completion, events, said, serving

ASKED = {"model": "scripted", "messages": [{"role": "user", "content": "Hello"}]}


@dataclass
class Proxied:
    """A proxy in front of a scripted model, and the engine's end of it."""

    proxy: ModelProxy
    meter: Meter
    conversation: Conversation
    stops: list[str] = field(default_factory=list)

    def ask(self, body: Any = None, path: str = "/chat/completions", **kwargs: Any) -> Any:
        """Send what an engine would; returns the whole answer."""
        given = self.proxy.given
        headers = kwargs.pop("headers", {"Authorization": f"Bearer {given.api_key}"})
        method = kwargs.pop("method", "POST")
        url = kwargs.pop("base", given.base_url) + path
        with httpx.Client(timeout=20) as client:
            return client.request(method, url, json=body or ASKED, headers=headers, **kwargs)

    def spent(self) -> Spent:
        """What was spent, once every call is settled."""
        self.meter.wait_idle(10)
        return self.meter.spent


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serving() as upstream:
        yield upstream


@pytest.fixture
def proxied(upstream: Upstream) -> Iterator[Callable[..., Proxied]]:
    """Make a proxy; it is closed at the end of the test."""
    made: list[ModelProxy] = []

    def make(
        budget: Budget | None = None, *, uid: int | None = None, base_url: str = ""
    ) -> Proxied:
        model = Model(base_url or f"{upstream.address}/v1", "scripted", API_KEY)
        meter = Meter(budget or Budget(), Price(read=2, written=10))
        conversation = Conversation(Redactor([API_KEY]))
        stops: list[str] = []
        proxy = ModelProxy(
            model,
            meter,
            conversation,
            os.getuid() if uid is None else uid,
            lambda: stops.append("stop"),
        )
        made.append(proxy.__enter__())
        return Proxied(proxy, meter, conversation, stops)

    yield make
    for proxy in made:
        proxy.__exit__(None, None, None)


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


def test_a_stream_passes_as_it_is_and_is_counted(
    proxied: Callable[..., Proxied], upstream: Upstream
) -> None:
    """Each byte arrives, the usage is asked for, and the engine sees it only if it asked."""
    world = proxied()
    body = ASKED | {"stream": True}
    whole = events(said("Done."), USAGE)
    answer = world.ask(body | {"stream_options": {"include_usage": True}})
    assert answer.content == b"".join(whole)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert world.ask(body).content == b"".join(whole[:-2] + whole[-1:])
    assert [each["stream_options"] for each in upstream.asked] == [{"include_usage": True}] * 2
    assert (world.spent().calls, world.spent().read, world.spent().written) == (2, 2000, 40)
    assert world.spent().dollars == pytest.approx(2000 * 2e-6 + 40 * 10e-6)


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


def test_what_was_thought_counts(proxied: Callable[..., Proxied], upstream: Upstream) -> None:
    """A total that is more than its parts is what is billed."""
    upstream.usage = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 400}
    world = proxied()
    world.ask()
    assert (world.spent().read, world.spent().written) == (100, 300)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("usage", [None, {"prompt_tokens": -5}, {"prompt_tokens": "many"}])
def test_a_server_without_usage_is_estimated_high(
    proxied: Callable[..., Proxied], upstream: Upstream, stream: bool, usage: Any
) -> None:
    """Three bytes of text are taken for a token, read and written."""
    upstream.usage, upstream.script = usage, [said("x" * 3000)]
    world = proxied()
    world.ask(ASKED | {"messages": [{"role": "user", "content": "y" * 3000}], "stream": stream})
    spent = world.spent()
    assert 1000 <= spent.read < 1100
    assert 1000 <= spent.written < 1020


def test_the_budget_stops_it(proxied: Callable[..., Proxied], upstream: Upstream) -> None:
    """Calls that fit are made, the one that doesn't is refused, and the run is stopped once."""
    upstream.usage = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}
    world = proxied(Budget(dollars=100, tokens=2_500))
    assert [world.ask().status_code for _ in range(4)] == [200, 200, 200, 402]
    assert world.ask().json()["error"]["code"] == "over_budget"
    assert len(upstream.asked) == 3
    assert upstream.asked[2]["max_tokens"] < 500
    assert world.stops == ["stop"]
    assert "budget of $100.00 and 2,500 tokens" in world.proxy.over_budget


def test_dollars_stop_it_too(proxied: Callable[..., Proxied], upstream: Upstream) -> None:
    """The price of what was read and written counts, whichever limit comes first."""
    upstream.usage = {"prompt_tokens": 1000, "completion_tokens": 700, "total_tokens": 1700}
    world = proxied(Budget(dollars=0.01))
    assert [world.ask().status_code for _ in range(2)] == [200, 402]
    assert world.spent().dollars == pytest.approx(0.009)


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


def test_a_stream_that_breaks_breaks_for_the_engine(
    proxied: Callable[..., Proxied], upstream: Upstream
) -> None:
    """Half an answer is not taken for a whole one, and is paid for."""

    def broken() -> Iterator[bytes]:
        yield events(said("x" * 300))[0]
        raise RuntimeError("the model's server broke")

    upstream.answer = lambda _: StreamingResponse(broken(), media_type="text/event-stream")
    world = proxied()
    with pytest.raises(httpx.RemoteProtocolError):
        world.ask(ASKED | {"stream": True})
    assert world.spent().written >= 100
    upstream.answer = None
    assert world.ask().status_code == 200


def test_an_engine_that_hangs_up_pays(proxied: Callable[..., Proxied], upstream: Upstream) -> None:
    """Leaving early saves nothing that the model has read, and the next call works."""
    endless = (events(said("x" * 3000))[0] for _ in range(100_000))
    upstream.answer = lambda _: StreamingResponse(endless, media_type="text/event-stream")
    world = proxied()
    given = world.proxy.given
    headers = {"Authorization": f"Bearer {given.api_key}"}
    url = f"{given.base_url}/chat/completions"
    with httpx.stream("POST", url, json=ASKED | {"stream": True}, headers=headers) as answer:
        next(answer.iter_raw())
    assert world.spent().calls == 1
    assert world.spent().written >= 1000
    upstream.answer = None
    assert world.ask().status_code == 200


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


def test_the_conversation_is_recorded_once_and_redacted(
    proxied: Callable[..., Proxied], upstream: Upstream
) -> None:
    """What a call repeats of the last one is not recorded again; keys are hidden."""
    upstream.script = [said("Looking.", "ls"), said(f"It says {API_KEY}.")]
    world = proxied()
    messages: list[Any] = [{"role": "user", "content": "Fix it"}]
    world.ask(ASKED | {"messages": messages, "stream": True})
    messages += [said("Looking.", "ls"), {"role": "tool", "content": "a.py"}]
    world.ask(ASKED | {"messages": messages})
    world.spent()
    first, second = map(json.loads, world.conversation.content().splitlines())
    assert first["messages"] == messages[:1]
    assert first["answer"].startswith("Looking.\n[bash] ")
    assert (second["same"], second["messages"]) == (1, messages[1:])
    assert second["answer"] == "It says [redacted]."
    assert second["tokens"] == [1000, 20]


def test_calls_at_once_never_go_past_the_budget(
    proxied: Callable[..., Proxied], upstream: Upstream
) -> None:
    """What calls under way may cost is set aside before the next one is let through."""
    together = threading.Barrier(4)

    def all_that_is_allowed(body: dict[str, Any]) -> Response:
        written = body["max_tokens"]
        usage = {"prompt_tokens": 10, "completion_tokens": written, "total_tokens": 10 + written}
        return JSONResponse(completion(said("Done."), usage))

    upstream.answer = all_that_is_allowed
    world = proxied(Budget(dollars=100, tokens=2_500))
    statuses: list[int] = []

    def one() -> None:
        together.wait(20)
        statuses.append(world.ask(ASKED | {"max_tokens": 1000}).status_code)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 200, 200, 402]
    spent = world.spent()
    assert spent.read + spent.written <= 2_500


def test_an_answer_that_is_not_json_is_passed_on(
    proxied: Callable[..., Proxied], upstream: Upstream
) -> None:
    """The proxy doesn't judge answers: it passes them on, and counts what was read."""
    upstream.answer = lambda _: Response(b"\xff<html>", 200, media_type="text/html")
    world = proxied()
    assert world.ask().content == b"\xff<html>"
    assert world.spent().read > 0
