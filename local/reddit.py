"""Reddit's API as an application without a user reads it, and a page for each submission.

``POST /_local/submissions`` and ``POST /_local/comments`` stand for the people who post there:
the real Reddit has no such calls.
"""

import argparse
import base64
import hashlib
import hmac
import html
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from local.reddit_posts import InvalidPostError, Json, Posts
from local.serve import serve

TOKEN_SECONDS = 86_400
WINDOW_SECONDS = 600
REQUESTS_PER_WINDOW = 1_000
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
        """A subreddit's submissions. Nobody votes here, so the hot ones are the new ones."""
        headers = self._admit(request)
        query = request.query_params
        limit = query.get("limit", "25")
        if not limit.isdecimal():
            raise Refused(400, "Bad Request")
        anchors = {
            name: query[name].removeprefix("t3_") for name in ("after", "before") if query.get(name)
        }
        if len(anchors) == 2:
            raise Refused(400, "Bad Request")
        rows, after, before = self._posts.page(
            request.path_params["subreddit"], min(int(limit) or 25, 100), **anchors
        )
        children = [self._submission(request, row) for row in rows]
        return JSONResponse(_listing(children, after, before), headers=headers)

    async def comments(self, request: Request) -> Response:
        headers = self._admit(request)
        rows = self._posts.find([request.path_params["id"]])
        if not rows:
            raise Refused(404, "Not Found", headers)
        answers = [_comment(row, rows[0]) for row in self._posts.comments(rows[0]["id"])]
        both = [_listing([self._submission(request, rows[0])]), _listing(answers)]
        return JSONResponse(both, headers=headers)

    async def info(self, request: Request) -> Response:
        headers = self._admit(request)
        names = request.query_params.get("id", "").split(",")
        if not all(name.startswith("t3_") for name in names):
            raise Refused(501, "only submissions (t3_) are emulated", headers)
        rows = self._posts.find([name.removeprefix("t3_") for name in names])
        return JSONResponse(_listing(self._submission(request, r) for r in rows), headers=headers)

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

    def _submission(self, request: Request, row: Json) -> Json:
        return {
            "kind": "t3",
            "data": {
                **row,
                "name": f"t3_{row['id']}",
                "created": row["created_utc"],
                "edited": False,
                "is_self": True,
                "link_flair_text": None,
                "num_comments": len(self._posts.comments(row["id"])),
                "score": 1,
                "subreddit_name_prefixed": f"r/{row['subreddit']}",
                "url": str(request.base_url).rstrip("/") + row["permalink"],
            },
        }


class People:
    """What people do: write, and read in a browser."""

    def __init__(self, posts: Posts) -> None:
        self._posts = posts

    async def submit(self, request: Request) -> Response:
        row, new = self._posts.submit(await _object(request))
        url = str(request.base_url).rstrip("/") + row["permalink"]
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
            Route("/r/{subreddit}/new", api.listing),
            Route("/r/{subreddit}/hot", api.listing),
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


def _listing(children: Iterable[Json], after: str | None = None, before: str | None = None) -> Json:
    return {
        "kind": "Listing",
        "data": {
            "children": list(children),
            "after": after and f"t3_{after}",
            "before": before and f"t3_{before}",
        },
    }


def _comment(row: Json, submission: Json) -> Json:
    name = f"t3_{submission['id']}"
    data = {**row, "name": f"t1_{row['id']}", "link_id": name, "parent_id": name, "replies": ""}
    del data["submission"]
    return {"kind": "t1", "data": {**data, "score": 1, "subreddit": submission["subreddit"]}}


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
