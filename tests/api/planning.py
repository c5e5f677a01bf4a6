"""What the tests of plans share: a plan, and a model that answers what it is told."""

import json
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import Callable

WANTED: dict[str, Any] = {
    "problem": "Export loses a row.",
    "reproduction": "1. Export.",
    "files": ["larder/export.py"],
    "verification": "Count rows.",
}


class Model:
    """Answers one plan to all calls; ``meanwhile`` happens before each answer."""

    def __init__(self) -> None:
        self.plan: dict[str, Any] = WANTED
        self.status = 200
        self.calls = 0
        self.meanwhile: Callable[[], object] = lambda: None
        self.app = Starlette(routes=[Route("/{path:path}", self.call, methods=["POST"])])

    def call(self, _: Request) -> JSONResponse:
        """The answer."""
        self.calls += 1
        self.meanwhile()
        if self.status != 200:
            error = {"code": self.status, "message": "of our inside", "status": "X"}
            return JSONResponse({"error": error}, self.status)
        text = json.dumps(self.plan)
        return JSONResponse({"candidates": [{"content": {"parts": [{"text": text}]}}]})


def edited(based_on: int, **changed: Any) -> dict[str, Any]:
    """A person's plan."""
    return {**WANTED, "based_on": based_on, **changed}


def plans(api: TestClient, cluster: str) -> dict[str, Any]:
    answer = api.get(f"/clusters/{cluster}/plans")
    assert answer.status_code == 200
    return dict(answer.json())
