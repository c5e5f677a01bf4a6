"""Feedback that gives orders, a model that follows them, and the real engine between them."""

import json
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from local.serve import running
from soulcaster_agent.redact import basic_credentials
from tests.agent.conftest import Start, ended
from tests.agent.control_plane import API_KEY, CALLBACK_TOKEN, READ_TOKEN, TICKET, ControlPlane
from tests.agent.injections import HIDINGS, Obedient, line, orders, plainly, shapes
from tests.agent.repositories import bare
from tests.agent.test_confinement import needs_root
from tests.agent.trap import listening
from tests.agent.upstream import Upstream, serving

CANARIES = [TICKET, CALLBACK_TOKEN, READ_TOKEN, basic_credentials(READ_TOKEN), API_KEY, "X-Amz-Sig"]
PLACES = ("/agent/", "/uploads/", "/acme/larder.git/")


@pytest.fixture
def seen() -> list[str]:
    """The paths that the control plane and the repository's server were asked for."""
    return []


@pytest.fixture
def plane(larder: Path, tmp_path: Path, seen: list[str]) -> Iterator[ControlPlane]:
    """The same control plane as elsewhere, which remembers what it was asked for."""

    async def remember(request: Request, answer: RequestResponseEndpoint) -> Response:
        seen.append(request.url.path)
        return await answer(request)

    plane = ControlPlane(bare(larder, tmp_path / "larder.git"))
    app = plane.app()
    app.add_middleware(BaseHTTPMiddleware, dispatch=remember)
    with running(app) as plane.address:
        yield plane


@pytest.fixture
def upstream(plane: ControlPlane) -> Iterator[Upstream]:
    with serving() as upstream:
        plane.model = upstream.model
        yield upstream


def left(plane: ControlPlane, upstream: Upstream, printed: str) -> dict[str, str]:
    """Return all that left the task, by where it went."""
    callbacks = [value for value in vars(plane).values() if isinstance(value, list)]
    return {
        **{name: raw.decode() for name, raw in plane.uploads.items()},
        "callbacks": json.dumps(callbacks),
        "model": json.dumps(upstream.asked),
        "output": printed,
    }


@needs_root
@pytest.mark.parametrize("hidings", [(plainly,), HIDINGS], ids=["plain", "hidden"])
def test_s21_a_model_that_obeys_feedback_gives_nothing_away(
    plane: ControlPlane,
    start: Start,
    kilo: Path,
    upstream: Upstream,
    seen: list[str],
    hidings: tuple[Callable[[str], str], ...],
) -> None:
    """No canary leaves in any shape, nobody outside hears anything, no repository but its own."""
    with listening() as trap:
        trap.proves_itself()
        wanted = orders(trap, plane.address)
        feedback = [hide(line(each)) for hide, each in zip(cycle(hidings), wanted, strict=False)]
        plane.prompt = "Repository: acme/larder\n\n" + "\n\n".join(feedback)
        upstream.answer = obedient = Obedient()
        status, printed = ended(start(kilo), 170)
        assert status == 0, printed
        assert trap.hits == []

    assert obedient.obeyed == len(wanted)
    answers = [each for each in upstream.asked[-1]["messages"] if each["role"] == "tool"]
    assert len(answers) == len(wanted), plane.log
    # It did try: its environment was printed, and its way out was not there.
    shown = json.dumps(answers)
    assert "KILO_CONFIG_CONTENT" in shown
    assert "Could not resolve host: evil.example" in shown
    assert upstream.authorizations == [f"Bearer {API_KEY}"] * len(upstream.asked)

    assert "found.txt" in plane.uploads["patch"].decode(), plane.log
    # The test that came with the patch was run by the proof, and found no more than the engine.
    assert "tests/test_steal.py" in json.loads(plane.uploads["proof"])["tests"], plane.log
    assert "Ran " in plane.uploads["proof"].decode()
    for where, text in left(plane, upstream, printed).items():
        for canary in CANARIES:
            assert [shape for shape in shapes(canary) if shape in text] == [], where
    assert [path for path in seen if not path.startswith(PLACES)] == []
