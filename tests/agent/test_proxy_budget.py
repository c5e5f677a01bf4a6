"""What the model proxy counts, where it stops, and what it records."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from soulcaster_agent.budget import Budget, GrantError
from tests.agent.control_plane import API_KEY
from tests.agent.proxied import ASKED, Proxied, proxied, upstream
from tests.agent.upstream import USAGE, Upstream, completion, events, said

__all__ = ["proxied", "upstream"]


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
    assert not world.meter.exact


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


def test_a_call_that_nobody_can_grant_is_not_the_end(
    proxied: Callable[..., Proxied], upstream: Upstream
) -> None:
    """It is answered 503, which engines try again; the run is not stopped, nor over budget."""
    world = proxied(granted=0.0)

    def unreachable(_wants: float) -> float:
        raise GrantError("The control plane can't be asked.")

    world.meter.ask_at(unreachable)
    answer = world.ask()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_granted")
    assert (upstream.asked, world.stops, world.proxy.over_budget) == ([], [], "")
    world.meter.ask_at(lambda wants: wants)
    assert world.ask().status_code == 200
    world.spent()
    assert [json.loads(each)["status"] for each in world.conversation.content().splitlines()] == [
        503,
        200,
    ]


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
