"""The protocol is one: what holds for an engine holds for each, with the same scripted model."""

import json
import uuid
from pathlib import Path

import pytest
from starlette.responses import JSONResponse

from soulcaster_agent.engines import FINDERS, find_engine
from tests.agent.conftest import ended, running_with, until
from tests.agent.control_plane import API_KEY, ControlPlane
from tests.agent.real_engines import PLACES, StartEngine, start_engine, upstream
from tests.agent.upstream import Upstream, said

__all__ = ["start_engine", "upstream"]

EDIT = "sed -i 's/for spreadsheets and backups/for anybody/' larder/export.py"
SCRIPT = [
    said("I read it.", "head -n 1 larder/export.py"),
    said("I edit it naïvely 🛠.", EDIT),
    said("I test it.", "python3 -m unittest && echo crème > note.txt"),
    said("It is for anybody now, à la carte 🎉."),
]
each_engine = pytest.mark.parametrize("engine", PLACES)


def test_every_engine_is_tried_here() -> None:
    """An engine that is added is run by these tests, too."""
    assert set(FINDERS) == set(PLACES)


@each_engine
def test_the_same_conversation_makes_the_same_patch(
    plane: ControlPlane, start_engine: StartEngine, upstream: Upstream, engine: str
) -> None:
    """Read, edited and tested as the model says; its last words are the summary."""
    upstream.script = SCRIPT
    plane.prompt = 'Repository: acme/larder\n{{7 * 7}} {% "é" 🥕 \x7f \u2028 %}\n- a: "b\\n"'
    status, printed = ended(start_engine(engine))
    assert status == 0, printed
    assert plane.reports[0]["outcome"] == "patch", plane.log
    assert plane.reports[0]["summary"] == "It is for anybody now, à la carte 🎉."
    files = {each["path"]: each for each in json.loads(plane.uploads["patch"])["files"]}
    assert set(files) == {"larder/export.py", "note.txt"}
    assert files["larder/export.py"]["content"].startswith('"""CSV files for anybody."""')
    assert files["note.txt"]["content"] == "crème\n"

    asked = [text(each["content"]) for each in upstream.asked[0]["messages"]]
    assert any(plane.prompt in each for each in asked)
    answers = [each for body in upstream.asked for each in body["messages"]]
    assert any("CSV files for spreadsheets" in text(a["content"]) for a in answers)
    assert upstream.authorizations == [f"Bearer {API_KEY}"] * len(upstream.asked)
    for words in ("I read it.", "head -n 1", "CSV files for spreadsheets", "naïvely 🛠", "OK"):
        assert words in plane.log
    assert f"{len(upstream.asked)} model calls" in plane.log


def text(content: object) -> str:
    """The text of a message, which may come in parts."""
    if isinstance(content, list):
        return "".join(each.get("text", "") for each in content)
    return str(content)


@each_engine
def test_a_model_that_only_talks_changes_nothing(
    plane: ControlPlane, start_engine: StartEngine, upstream: Upstream, engine: str
) -> None:
    """No change, with its words as the summary: also where an engine insists on commands."""
    upstream.script = [said("It works as intended.")]
    assert ended(start_engine(engine))[0] == 0
    assert plane.reports[0]["outcome"] == "no_change", plane.log
    assert plane.reports[0]["summary"] == "It works as intended."


@each_engine
def test_a_model_that_refuses_is_the_reason(
    plane: ControlPlane, start_engine: StartEngine, upstream: Upstream, engine: str
) -> None:
    """A 401 ends the run at once, and people read what the model's server said."""
    error = {"message": "no such key", "type": "x", "param": None, "code": "y"}
    upstream.answer = lambda _body: JSONResponse({"error": error}, 401)
    assert ended(start_engine(engine))[0] == 0
    assert (plane.reports[0]["outcome"], plane.reports[0]["cause"]) == ("failed", "engine")
    assert plane.reports[0]["reason"] == "The model answered 401: no such key"
    assert len(upstream.asked) == 1


@each_engine
def test_a_cancelled_job_leaves_no_process(
    plane: ControlPlane, start_engine: StartEngine, upstream: Upstream, engine: str
) -> None:
    """A refused heartbeat ends the engine, and what its shell started beside it."""
    marker = f"marker-{uuid.uuid4()}"
    waits = f"bash -c 'exec -a {marker} sleep 1000'"
    waits = f"setsid {waits} & {waits}"
    upstream.script = [said("I wait.", waits)]
    task = start_engine(engine)
    until(lambda: len(running_with(f"{marker}\0")) >= 2, 60)
    plane.stale = True
    assert ended(task)[0] == 3
    assert plane.reports == []
    assert running_with(marker) == []


def test_a_name_that_no_engine_has_fails_with_a_reason(
    plane: ControlPlane,
    start_engine: StartEngine,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """People read what the task has instead; nothing is started."""
    monkeypatch.setitem(PLACES, "brain", PLACES["kilo"])
    assert ended(start_engine("brain"))[0] == 0
    assert (plane.reports[0]["outcome"], plane.reports[0]["cause"]) == ("failed", "engine")
    expected = "There is no engine called 'brain' in this task; it has kilo and mini-swe-agent."
    assert plane.reports[0]["reason"] == expected
    assert upstream.asked == []


@pytest.mark.parametrize("name", FINDERS)
def test_an_engine_that_is_not_installed_says_so(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It can be asked for all the same, and names what is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(find_engine(name).programs[0]) == name
