"""The emulated GitHub as one application: REST API, git over HTTP, and pages for people."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.github import (
    apps,
    checks,
    comments,
    gitdata,
    hooks,
    issues,
    merging,
    moving,
    pages,
    pull_page,
    pulls,
    repositories,
    smart_http,
)
from local.github.auth import Keys
from local.github.call import Forge, endpoint, refused
from local.github.courier import Courier
from local.github.refusal import Refused
from local.github.store import Store

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_REPO = "/repos/{owner}/{name}"
_HOOK = _REPO + "/hooks/{hook:int}"
_COMMENT = _REPO + "/issues/comments/{comment:int}"
_PULL = _REPO + "/pulls/{number:int}"
_PAGE = "/{owner}/{name}"

_ENDPOINTS = [
    ("GET", "/app", apps.get_app),
    ("GET", "/app/installations", apps.installations),
    ("POST", "/app/installations/{installation:int}/access_tokens", apps.create_token),
    ("PATCH", "/app/hook/config", hooks.set_app_hook),
    ("GET", _REPO, repositories.get),
    ("GET", _REPO + "/installation", apps.installation_of),
    ("POST", _REPO + "/hooks", hooks.create),
    ("GET", _REPO + "/hooks", hooks.list_all),
    ("DELETE", _HOOK, hooks.delete),
    ("GET", _HOOK + "/deliveries", hooks.deliveries),
    ("GET", _HOOK + "/deliveries/{delivery:int}", hooks.delivery),
    ("POST", _REPO + "/issues", issues.create),
    ("GET", _REPO + "/issues", issues.list_all),
    ("GET", _REPO + "/issues/{number:int}", issues.get),
    ("PATCH", _REPO + "/issues/{number:int}", issues.update),
    ("POST", _REPO + "/issues/{number:int}/comments", comments.create),
    ("GET", _REPO + "/issues/{number:int}/comments", comments.list_below),
    ("GET", _REPO + "/issues/comments", comments.list_all),
    ("GET", _COMMENT, comments.get),
    ("PATCH", _COMMENT, comments.update),
    ("DELETE", _COMMENT, comments.delete),
    ("GET", _REPO + "/git/ref/{ref:path}", gitdata.get_ref),
    ("GET", _REPO + "/git/matching-refs/{ref:path}", gitdata.matching_refs),
    ("POST", _REPO + "/git/refs", gitdata.create_ref),
    ("PATCH", _REPO + "/git/refs/{ref:path}", gitdata.update_ref),
    ("GET", _REPO + "/git/commits/{sha}", gitdata.get_commit),
    ("POST", _REPO + "/git/commits", gitdata.create_commit),
    ("POST", _REPO + "/git/blobs", gitdata.create_blob),
    ("POST", _REPO + "/git/trees", gitdata.create_tree),
    ("GET", _REPO + "/compare/{basehead:path}", gitdata.compare),
    ("GET", _REPO + "/commits", gitdata.commits),
    ("POST", _REPO + "/pulls", pulls.create),
    ("GET", _REPO + "/pulls", pulls.list_all),
    ("GET", _PULL, pulls.get),
    ("PATCH", _PULL, pulls.update),
    ("GET", _PULL + "/files", pulls.files),
    ("PUT", _PULL + "/merge", merging.endpoint),
    ("POST", "/_local/repositories", repositories.create),
    ("POST", "/_local/issues", issues.load),
    ("POST", "/_local/issues/delete", moving.delete),
    ("POST", "/_local/issues/transfer", moving.transfer),
    ("POST", "/_local/comments", comments.load),
    ("POST", "/_local/pulls/ready", pulls.ready),
    ("POST", "/_local/checks", checks.complete),
    ("GET", "/", pages.front),
    ("GET", "/_local/style.css", pages.style),
    ("GET", _PAGE, pages.repository),
    ("GET", _PAGE + "/issues", pages.issue_list),
    ("GET", _PAGE + "/issues/{number:int}", pages.issue),
    ("GET", _PAGE + "/pull/{number:int}", pull_page.show),
    ("POST", _PAGE + "/pull/{number:int}", pull_page.act),
]


def app(state: Path, keys: Keys) -> Starlette:
    """The application; what it knows is kept in the folder ``state``."""
    state = state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    store = Store(state / "github.sqlite3")
    courier = Courier(store, keys.app_id)
    forge = Forge(state, store, keys, courier.wake, form_key=secrets.token_urlsafe())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        courier.start()
        yield
        courier.stop()
        store.close()

    git = smart_http.endpoint(forge)
    return Starlette(
        routes=[
            Route(_PAGE + "/info/refs", git, methods=["GET"]),
            Route(_PAGE + "/git-upload-pack", git, methods=["POST"]),
            Route(_PAGE + "/git-receive-pack", git, methods=["POST"]),
            *(Route(path, endpoint(forge, fn), methods=[verb]) for verb, path, fn in _ENDPOINTS),
            Route("/{path:path}", _not_emulated, methods=_METHODS),
        ],
        exception_handlers={Refused: refused},
        lifespan=lifespan,
    )


async def _not_emulated(request: Request) -> Response:
    raise Refused(501, f"not emulated: {request.method} {request.url.path}")
