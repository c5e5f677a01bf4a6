"""What the Reddit edge does about failures, bad arguments and time."""

import os
import subprocess
import sys
from typing import Any

import prawcore
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.serve import free_port, running
from soulcaster.edges.reddit import Reddit, RedditError


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prawcore.sessions.time.sleep", lambda _: None)


def edge(url: str) -> Reddit:
    return Reddit(url, url, "client", "secret", "python:soulcaster.test:1 (by /u/soulcaster)")


def answering(answer: Response) -> Starlette:
    async def reply(request: Request) -> Response:
        if request.url.path == "/api/v1/access_token":
            return JSONResponse({"access_token": "t", "expires_in": 60, "scope": "*"})
        return answer

    return Starlette(routes=[Route("/{path:path}", reply, methods=["GET", "POST"])])


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        (Response(status_code=503), True),
        (Response("<h1>Maintenance</h1>"), True),
        (JSONResponse({"message": "Forbidden", "error": 403}, 403), False),
        (JSONResponse({"message": "Not Found", "error": 404}, 404), False),
        (Response(status_code=302, headers={"location": "/subreddits/search?q=larder"}), False),
    ],
    ids=["503", "not JSON", "private", "banned", "unknown"],
)
@pytest.mark.usefixtures("no_pauses")
def test_failures_say_whether_to_try_again(answer: Response, retryable: bool) -> None:
    """Outages may pass; a private, banned or unknown subreddit stays what it is."""
    with running(answering(answer)) as url, pytest.raises(RedditError) as refused:
        edge(url).submissions("larder", "new", 1)
    assert refused.value.retryable is retryable


@pytest.mark.usefixtures("no_pauses")
def test_a_dead_server_is_retryable() -> None:
    """Nobody listening is a transport error that may pass."""
    with pytest.raises(RedditError) as refused:
        edge(f"http://127.0.0.1:{free_port()}").submissions("larder", "new", 1)
    assert refused.value.retryable


def test_every_request_has_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Token and listing are both given up after 10 seconds."""
    timeouts = []
    send = prawcore.Requestor.request

    def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        timeouts.append(kwargs["timeout"])
        return send(self, *args, **kwargs)

    monkeypatch.setattr("prawcore.Requestor.request", request)
    nothing = JSONResponse({"kind": "Listing", "data": {"children": [], "after": None}})
    with running(answering(nothing)) as url:
        assert edge(url).submissions("larder", "new", 1) == []
    assert timeouts == [10, 10]


@pytest.mark.parametrize("name", ["", "a", "r/larder", "all/../../x", "larder?x=1", "läden"])
def test_a_wrong_subreddit_reaches_nobody(name: str) -> None:
    """What can't be a subreddit's name is refused before any request."""
    with pytest.raises(RedditError, match="subreddit") as refused:
        edge("http://127.0.0.1:1").submissions(name, "new", 1)
    assert not refused.value.retryable


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_beyond_one_page_is_refused(limit: int) -> None:
    """A call never needs a second page, which praw might wait minutes for."""
    with pytest.raises(ValueError, match="limit"):
        edge("http://127.0.0.1:1").submissions("larder", "new", limit)


def test_importing_the_edge_imports_no_client() -> None:
    """Whoever imports the module does not pay for praw until the first call."""
    code = "import soulcaster.edges.reddit, sys; sys.exit('praw' in sys.modules)"
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code], check=True, env=path, timeout=60)
