"""Clone, fetch and push over HTTP, by git's own CGI program."""

import subprocess
import sys
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from local.github.auth import identify
from local.github.call import Call, Forge
from local.github.git import environment
from local.github.refusal import Refused

_SERVICES = {"git-upload-pack": "read", "git-receive-pack": "write"}
_PASSED_ON = {
    "CONTENT_TYPE": "content-type",
    "HTTP_CONTENT_ENCODING": "content-encoding",
    "HTTP_GIT_PROTOCOL": "git-protocol",
    "GIT_PROTOCOL": "git-protocol",
}


def endpoint(forge: Forge) -> Callable[[Request], Awaitable[Response]]:
    """Serve ``info/refs``, ``git-upload-pack`` and ``git-receive-pack`` of a repository."""

    async def serve(request: Request) -> Response:
        raw = await request.body()
        return await run_in_threadpool(_answer, forge, request, raw)

    return serve


def _answer(forge: Forge, request: Request, raw: bytes) -> Response:
    params = request.path_params
    params["name"] = str(params["name"]).removesuffix(".git")
    asks = request.method == "GET"
    service = (
        request.query_params.get("service", "") if asks else request.url.path.rpartition("/")[2]
    )
    try:
        path = _allowed(forge, request, service)
    except Refused as error:
        print(f"github: {error.status} {request.method} {request.url.path}", file=sys.stderr)
        return PlainTextResponse(f"{error}\n", error.status, headers=error.headers)
    suffix = "info/refs" if asks else service
    headers = {name: request.headers.get(header, "") for name, header in _PASSED_ON.items()}
    done = subprocess.run(
        ["git", "http-backend"],
        input=raw,
        capture_output=True,
        check=False,
        env={
            **environment(),
            **headers,
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.url.query,
            "CONTENT_LENGTH": str(len(raw)),
            "PATH_INFO": f"/{path}/{suffix}",
            "GIT_PROJECT_ROOT": str(forge.folder / "repos"),
            "GIT_HTTP_EXPORT_ALL": "1",
        },
    )
    if done.returncode:
        print(f"github: git: {done.stderr.decode(errors='replace')}", file=sys.stderr)
    return _from_cgi(done.stdout)


def _allowed(forge: Forge, request: Request, service: str) -> str:
    """The repository's path below the root; raises 401, 403 or 404 as GitHub does for git."""
    level = _SERVICES.get(service)
    if level is None:
        raise Refused(403, "Please upgrade your git client.")
    ask = {"WWW-Authenticate": 'Basic realm="GitHub"'}
    try:
        caller = identify(request.headers.get("authorization"), forge.keys, forge.store)
    except Refused as error:
        raise Refused(401, "Invalid username or token.", headers=ask) from error
    if caller.kind == "anonymous":
        raise Refused(401, "Repository not found.", headers=ask)
    call = Call(forge, request, caller, b"")
    try:
        repository = call.repository("contents", level)
    except Refused as error:
        if error.status == 404:
            raise Refused(404, "Repository not found.") from error
        raise Refused(403, f"{level.title()} access to repository not granted.") from error
    return f"{repository['full_name']}.git"


def _from_cgi(output: bytes) -> Response:
    head, _, body = output.partition(b"\r\n\r\n")
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n"))
    headers = {name: value for name, _, value in lines if name}
    status = int(headers.pop("Status", "200").split(" ")[0])
    return Response(body, status, headers=headers)
