"""One request to the API: who calls, what with, and GitHub's way of refusing."""

import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.github.auth import Caller, Keys, identify
from local.github.git import Git
from local.github.refusal import Refused, invalid
from local.github.store import Row, Store

LARGEST = 2**62


@dataclass(frozen=True)
class Forge:
    """The emulated GitHub: what it knows, whom it trusts, and how it tells others."""

    folder: Path
    store: Store
    keys: Keys
    wake_courier: Callable[[], None]
    form_key: str
    """Known to the pages of this process alone, so that no other site can post their forms."""

    def git(self, repository: Row) -> Git:
        return Git(self.folder / "repos" / f"{repository['full_name']}.git")


@dataclass(frozen=True)
class Call:
    """A request whose sender is known and whose body has been read."""

    forge: Forge
    request: Request
    caller: Caller
    raw: bytes

    @property
    def store(self) -> Store:
        return self.forge.store

    @property
    def base(self) -> str:
        """The address that links in answers start with, without a slash at the end."""
        return str(self.request.base_url).rstrip("/")

    def param(self, name: str) -> str:
        return str(self.request.path_params[name])

    def number(self, name: str) -> int:
        """A number in the path; one that is too large for the store is nobody's."""
        return min(int(self.param(name)), LARGEST)

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; ``{}`` for none."""
        if not self.raw:
            return {}
        try:
            value = json.loads(self.raw)
            # Half of a surrogate pair parses, but can't be stored.
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise Refused(400, "Problems parsing JSON") from error
        if not isinstance(value, dict):
            raise Refused(400, "Body should be a JSON object")
        return value

    def repository(self, permission: str = "metadata", level: str = "read") -> Row:
        """The repository in the path, if the caller may do this there.

        Raises 404 where the caller may not even see it, 403 where it may do less.
        """
        full_name = f"{self.param('owner')}/{self.param('name')}"
        row = self.store.one("SELECT * FROM repositories WHERE full_name = ?", full_name)
        if self.caller.kind == "anonymous" and level == "write":
            raise Refused(401, "Requires authentication")
        if row is None or not self.caller.sees(row["id"]):
            raise Refused(404, "Not Found")
        if not self.caller.may(permission, level):
            raise Refused(403, "Resource not accessible by integration")
        return row

    def page_links(self, page: int, last: int) -> dict[str, str]:
        """The ``Link`` header of one page of a list."""
        targets = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        if page >= last:
            del targets["next"], targets["last"]
        if page <= 1:
            del targets["prev"], targets["first"]
        where = self.base + self.request.url.path
        query = dict(self.request.query_params)
        links = [
            f'<{where}?{urlencode({**query, "page": number})}>; rel="{name}"'
            for name, number in targets.items()
        ]
        return {"Link": ", ".join(links)} if links else {}

    def paging(self) -> tuple[int, int]:
        """``per_page`` (1 to 100, 30 if not given) and ``page`` (from 1)."""
        query = self.request.query_params
        try:
            size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        except ValueError as error:
            raise invalid("Query", "per_page or page is not a number") from error
        return min(max(size, 1), 100), min(max(page, 1), 1_000_000)


def endpoint(
    forge: Forge, answer: Callable[[Call], Response]
) -> Callable[[Request], Awaitable[Response]]:
    """Serve ``answer`` from a thread: it may block on git and on SQLite."""

    async def serve(request: Request) -> Response:
        raw = await request.body()

        def work() -> Response:
            caller = identify(request.headers.get("authorization"), forge.keys, forge.store)
            return answer(Call(forge, request, caller, raw))

        return await run_in_threadpool(work)

    return serve


def refused(request: Request, error: Exception) -> Response:
    """GitHub's error body for a ``Refused``; one line about it for whoever runs this."""
    if not isinstance(error, Refused):
        raise error
    print(f"github: {error.status} {request.method} {request.url.path}: {error}", file=sys.stderr)
    body: dict[str, Any] = {"message": str(error)}
    if error.errors:
        body["errors"] = error.errors
    body |= {"documentation_url": "https://docs.github.com/rest", "status": str(error.status)}
    return JSONResponse(body, error.status, headers=error.headers)


def text_field(
    body: dict[str, Any], field: str, *, limit: int = 65_536, required: bool = False
) -> str | None:
    """A string of the body, or None where it is absent or null; raises 422."""
    value = body.get(field)
    if value is None and not required:
        return None
    if not isinstance(value, str):
        raise Refused(422, f"Invalid request. '{field}' is not a string, or is missing.")
    if len(value) > limit:
        raise invalid("Issue", f"{field} is too long (maximum is {limit} characters)", field=field)
    return value


def only_fields(body: dict[str, Any], *known: str) -> None:
    """Refuse what is not emulated, rather than ignore it."""
    other = sorted(set(body) - set(known))
    if other:
        raise Refused(501, f"not emulated: the field {', '.join(other)}")


def now_iso() -> str:
    return iso(time.time())


def iso(seconds: float) -> str:
    """GitHub's times: UTC, whole seconds, ``Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(value: str, field: str) -> str:
    """A time that was sent, in GitHub's form; raises 422."""
    try:
        moment = datetime.fromisoformat(value)
        return iso((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise invalid("Query", f"{field} is not an ISO 8601 time", field=field) from error
