"""A stub of what the task talks to: the API, the uploads and the repository's server."""

import asyncio
import base64
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

TICKET = "ticket-5c4b3a29"
CALLBACK_TOKEN = "callback-0f1e2d3c4b5a"
READ_TOKEN = "ghs_123456_eyJh.bGci.OiJS"
SIGNATURE = "0a1b2c3d4e5f6071"
API_KEY = "model-key-6d5e4f3a2b"


@dataclass
class ControlPlane:
    """Answers one job's calls and remembers them.

    It grants what is wanted up to ``grants`` dollars, loses its next ``lost_answers`` to
    heartbeats on the way, breaks all of them while it is ``unreachable`` and answers none
    while it is ``silent``. When it ``forgets``, it stores nothing of the log.
    """

    repository: Path
    prompt: str = "Repository: acme/larder"
    model: dict[str, Any] | None = field(
        default_factory=lambda: {
            "base_url": "http://127.0.0.1:9/v1",
            "api_key": API_KEY,
            "name": "scripted",
        }
    )
    budget: dict[str, float] | None = None
    clone_url: str = ""
    seconds: float = 120
    engine_seconds: float | None = None
    heartbeat_seconds: float = 0.2
    base: str = "main"
    stale: bool = False
    proving_is_stale: bool = False
    refuse_uploads: frozenset[str] = frozenset()
    failures: int = 0
    grants: float = 100.0
    lost_answers: int = 0
    unreachable: bool = False
    silent: bool = False
    forgets: bool = False
    address: str = ""
    claimed: bool = False
    beats: int = 0
    granted: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)
    proved: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> str:
        """The uploaded log."""
        return self.uploads["log"].decode()

    def app(self) -> Starlette:
        """Return the application that answers."""
        return Starlette(
            routes=[
                Route("/agent/claim", self.claim, methods=["POST"]),
                Route("/agent/heartbeat", self.heartbeat, methods=["POST"]),
                Route("/agent/proving", self.proving, methods=["POST"]),
                Route("/agent/finish", self.finish, methods=["POST"]),
                Route("/uploads/{name}", self.upload, methods=["PUT"]),
                Route("/acme/larder.git/{path:path}", self.file),
            ]
        )

    async def claim(self, request: Request) -> Response:
        """Trade the ticket for the job, once."""
        if (await request.json())["ticket"] != TICKET:
            return JSONResponse({"error": "unknown ticket"}, 401)
        if self.claimed:
            return JSONResponse({"error": "the ticket was used"}, 409)
        self.claimed = True
        return JSONResponse(self.job())

    def job(self) -> dict[str, Any]:
        """Return what a claim is answered with."""
        return {
            "job_id": "job-1",
            "project_id": "project-1",
            "attempt": 1,
            "token": CALLBACK_TOKEN,
            "deadline": time.time() + self.seconds,
            "engine_deadline": self.engine_seconds and time.time() + self.engine_seconds,
            "heartbeat_seconds": self.heartbeat_seconds,
            "repository": {
                "clone_url": self.clone_url or f"{self.address}/acme/larder.git",
                "token": READ_TOKEN,
                "base": self.base,
            },
            "prompt": self.prompt,
            "model": self.model,
            "budget": self.budget,
            "tests": self.tests,
            "uploads": {
                name: f"{self.address}/uploads/{name}?X-Amz-Signature={SIGNATURE}"
                for name in ("patch", "log", "conversation", "proof", "result")
            },
        }

    async def heartbeat(self, request: Request) -> Response:
        """Store the log's next entries and grant what is wanted, unless the attempt is stale."""
        while self.silent:  # noqa: ASYNC110 - the test's thread says when
            await asyncio.sleep(0.05)
        if self.unreachable:
            return JSONResponse({"error": "later"}, 503)
        if self.refused(request):
            return JSONResponse({"error": "stale"}, 409)
        body = await request.json()
        self.beats += 1
        self.asked.append(body)
        log = body["log"]
        if log["from"] <= len(self.followed) and not self.forgets:
            self.followed[log["from"] :] = log["entries"]
        first = float((self.budget or {}).get("granted", 0))
        self.granted = max(self.granted, first, min(body["wants"], self.grants))
        if self.lost_answers:
            self.lost_answers -= 1
            return JSONResponse({"error": "later"}, 503)
        return JSONResponse({"granted": self.granted, "log": len(self.followed)})

    async def proving(self, request: Request) -> Response:
        """Count that a proof begins."""
        if self.proving_is_stale or self.refused(request):
            return JSONResponse({"error": "stale"}, 409)
        self.proved.append(await request.json())
        return JSONResponse({})

    async def finish(self, request: Request) -> Response:
        """Keep the report; the first ``failures`` times, break instead."""
        if self.failures:
            self.failures -= 1
            return JSONResponse({"error": "later"}, 503)
        if self.refused(request):
            return JSONResponse({"error": "stale"}, 409)
        self.reports.append(await request.json())
        return JSONResponse({}, 202)

    async def upload(self, request: Request) -> Response:
        """Keep what is stored at a presigned address."""
        name = request.path_params["name"]
        if name in self.refuse_uploads or "content-type" in request.headers:
            return Response("<Code>SignatureDoesNotMatch</Code>", 403)
        self.uploads[name] = await request.body()
        return Response()

    async def file(self, request: Request) -> Response:
        """Serve a file of the bare repository to whoever brings the read token."""
        credentials = base64.b64encode(f"x-access-token:{READ_TOKEN}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {credentials}":
            return Response("no", 401, {"WWW-Authenticate": 'Basic realm="git"'})
        path = self.repository / request.path_params["path"]
        return FileResponse(path) if path.is_file() else Response("nothing here", 404)

    def refused(self, request: Request) -> bool:
        """Whether the caller has no (longer a) part in the job."""
        return self.stale or request.headers.get("authorization") != f"Bearer {CALLBACK_TOKEN}"
