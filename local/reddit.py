"""Reddit's API as an application without a user reads it, and a page for each submission.

``POST /_local/submissions`` and ``POST /_local/comments`` stand for the people who post there:
the real Reddit has no such calls.
"""

import argparse
import base64
import hashlib
import hmac
import html
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from local import reddit_shapes as shapes
from local.reddit_posts import InvalidPostError, Json, Posts, Table
from local.serve import serve

TOKEN_SECONDS = 86_400
WINDOW_SECONDS = 600
REQUESTS_PER_WINDOW = 1_000
SORTS = ("new", "hot", "rising", "top")
DAY = 86_400.0
PERIODS = {
    "hour": 3_600.0,
    "day": DAY,
    "week": 7 * DAY,
    "month": 30 * DAY,
    "year": 365 * DAY,
    "all": math.inf,
}
# Reddit turns these away at once: they name a tool, not an application.
ANONYMOUS_AGENTS = ("", "python-requests", "python-urllib", "python-httpx", "curl", "mozilla")
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<body style="max-width: 42rem; margin: 2rem auto; font-family: sans-serif; line-height: 1.5">
<p>r/{subreddit} · u/{author} · {posted} UTC</p><h1>{title}</h1>
<div style="white-space: pre-wrap">{selftext}</div>{comments}
"""


class Refused(Exception):  # noqa: N818 - it is an answer
    """An answer other than success, in Reddit's words."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class Api:
    """The calls, for one application."""

    def __init__(self, posts: Posts, client_id: str, client_secret: str) -> None:
        self._posts = posts
        self._client_id = client_id
        self._client_secret = client_secret
        self._window, self._used = 0, 0

    async def access_token(self, request: Request) -> Response:
        _check_agent(request)
        pair = base64.b64encode(f"{self._client_id}:{self._client_secret}".encode()).decode()
        if not _same(request.headers.get("authorization", ""), f"Basic {pair}"):
            raise Refused(401, "Unauthorized")
        form = parse_qs((await request.body()).decode(errors="replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return JSONResponse({"error": "unsupported_grant_type"})
        return JSONResponse(
            {
                "access_token": self._token(int(time.time()) + TOKEN_SECONDS),
                "token_type": "bearer",
                "expires_in": TOKEN_SECONDS,
                "scope": "*",
            }
        )

    async def listing(self, request: Request) -> Response:
        """A subreddit's submissions. Nobody votes here, so all listings are by time; the top ones
        are those of a period.
        """
        headers = self._admit(request)
        since = 0.0
        if request.url.path.rstrip("/").endswith("/top"):
            # As on Reddit, a period that there isn't is the day.
            since = time.time() - PERIODS.get(request.query_params.get("t", ""), DAY)
        rows, after, before = self._page(request, "submissions", "t3_", since)
        children = [self._submission(request, row) for row in rows]
        return JSONResponse(shapes.listing(children, after, before), headers=headers)

    async def new_comments(self, request: Request) -> Response:
        """The comments on any submission of a subreddit, newest first."""
        headers = self._admit(request)
        rows, after, before = self._page(request, "answers", "t1_")
        children = [shapes.comment(_base(request), row) for row in rows]
        return JSONResponse(shapes.listing(children, after, before), headers=headers)

    async def comments(self, request: Request) -> Response:
        headers = self._admit(request)
        rows = self._posts.find([request.path_params["id"]])
        if not rows:
            raise Refused(404, "Not Found", headers)
        answers = [
            shapes.comment(_base(request), row) for row in self._posts.comments(rows[0]["id"])
        ]
        both = [shapes.listing([self._submission(request, rows[0])]), shapes.listing(answers)]
        return JSONResponse(both, headers=headers)

    async def info(self, request: Request) -> Response:
        headers = self._admit(request)
        names = request.query_params.get("id", "").split(",")
        if not all(name.startswith("t3_") for name in names):
            raise Refused(501, "only submissions (t3_) are emulated", headers)
        rows = self._posts.find([name.removeprefix("t3_") for name in names])
        return JSONResponse(
            shapes.listing(self._submission(request, r) for r in rows), headers=headers
        )

    def _admit(self, request: Request) -> dict[str, str]:
        """Refuse whoever may not call; returns the headers that say how much is left."""
        _check_agent(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        expires = token.partition(".")[0]
        if (
            scheme.lower() != "bearer"
            or not expires.isdecimal()
            or not _same(token, self._token(int(expires)))
            or int(expires) < time.time()
        ):
            raise Refused(
                401,
                "Unauthorized",
                {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'},
            )
        if request.query_params.get("raw_json") != "1":
            raise Refused(501, "text escaped as HTML is not emulated: send raw_json=1")
        now = int(time.time())
        if now // WINDOW_SECONDS != self._window:
            self._window, self._used = now // WINDOW_SECONDS, 0
        self._used += 1
        headers = {
            "x-ratelimit-used": str(self._used),
            "x-ratelimit-remaining": f"{max(REQUESTS_PER_WINDOW - self._used, 0)}.0",
            "x-ratelimit-reset": str(WINDOW_SECONDS - now % WINDOW_SECONDS),
        }
        if self._used > REQUESTS_PER_WINDOW:
            raise Refused(429, "Too Many Requests", headers)
        return headers

    def _token(self, expires: int) -> str:
        # Signed, not stored: it outlives a restart.
        signature = hmac.new(self._client_secret.encode(), str(expires).encode(), hashlib.sha256)
        return f"{expires}.{signature.hexdigest()}"

    def _page(
        self, request: Request, table: Table, kind: str, since: float = 0
    ) -> tuple[list[Json], str | None, str | None]:
        query = request.query_params
        limit = query.get("limit", "25")
        if not limit.isdecimal():
            raise Refused(400, "Bad Request")
        anchors = {
            name: query[name].removeprefix(kind) for name in ("after", "before") if query.get(name)
        }
        if len(anchors) == 2:
            raise Refused(400, "Bad Request")
        rows, after, before = self._posts.page(
            table,
            request.path_params["subreddit"],
            min(int(limit) or 25, 100),
            since=since,
            **anchors,
        )
        return rows, after and kind + after, before and kind + before

    def _submission(self, request: Request, row: Json) -> Json:
        return shapes.submission(_base(request), row, len(self._posts.comments(row["id"])))


class People:
    """What people do: write, and read in a browser."""

    def __init__(self, posts: Posts) -> None:
        self._posts = posts

    async def submit(self, request: Request) -> Response:
        row, new = self._posts.submit(await _object(request))
        url = _base(request) + row["permalink"]
        return JSONResponse({**row, "fullname": f"t3_{row['id']}", "url": url}, 201 if new else 200)

    async def comment(self, request: Request) -> Response:
        row, new = self._posts.comment(await _object(request))
        return JSONResponse({**row, "fullname": f"t1_{row['id']}"}, 201 if new else 200)

    async def page(self, request: Request) -> Response:
        row = self._posts.at(request.url.path)
        if row is None:
            raise Refused(404, "there is no such submission")
        shown = {name: html.escape(str(value)) for name, value in row.items()}
        comments = "".join(
            f"<hr><p>u/{html.escape(one['author'])}</p>"
            f'<div style="white-space: pre-wrap">{html.escape(one["body"])}</div>'
            for one in self._posts.comments(row["id"])
        )
        posted = time.strftime("%Y-%m-%d %H:%M", time.gmtime(row["created_utc"]))
        return HTMLResponse(
            PAGE.format(**shown, comments=comments, posted=posted),
            headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"},
        )


def app(posts: Posts, client_id: str, client_secret: str) -> Starlette:
    """Reddit's two addresses in one, for the application ``client_id``."""
    api, people = Api(posts, client_id, client_secret), People(posts)

    async def other(request: Request) -> Response:
        raise Refused(501, f"{request.method} {request.url.path} is not emulated")

    return Starlette(
        routes=[
            Route("/api/v1/access_token", api.access_token, methods=["POST"]),
            *(Route(f"/r/{{subreddit}}/{sort}", api.listing) for sort in SORTS),
            Route("/r/{subreddit}/comments", api.new_comments),
            Route("/r/{subreddit}/comments/", api.new_comments),
            Route("/comments/{id}", api.comments),
            Route("/comments/{id}/", api.comments),
            Route("/api/info", api.info),
            Route("/api/info/", api.info),
            Route("/_local/submissions", people.submit, methods=["POST"]),
            Route("/_local/comments", people.comment, methods=["POST"]),
            Route("/r/{path:path}", people.page),
            Route("/{path:path}", other, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ],
        exception_handlers={Refused: _refusal, InvalidPostError: _refusal},
    )


def _refusal(_: Request, error: Exception) -> JSONResponse:
    status, headers = (error.status, error.headers) if isinstance(error, Refused) else (400, None)
    print(f"reddit: refused: {status} {error}", file=sys.stderr)
    return JSONResponse({"message": str(error), "error": status}, status, headers=headers)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _check_agent(request: Request) -> None:
    agent = request.headers.get("user-agent", "").partition("/")[0].strip().lower()
    if agent in ANONYMOUS_AGENTS:
        raise Refused(429, "Too Many Requests")


async def _object(request: Request) -> Mapping[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise Refused(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refused(400, "the body is not an object")
    return body


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="where the posts are kept")
    parser.add_argument("--client-id", required=True, help="the application's")
    parser.add_argument("--client-secret", required=True, help="the application's")
    given = parser.parse_args()
    serve(app(Posts(given.state), given.client_id, given.client_secret), given.port)


if __name__ == "__main__":
    main()
