"""The real engine, driven by recordings: some 15 seconds a run."""

import json
import subprocess
import sys
from pathlib import Path

from local import model
from local.serve import running
from tests.agent.conftest import ROOT, Start, ended
from tests.agent.control_plane import API_KEY, ControlPlane
from tests.agent.repositories import git

PROMPT = """Fix what users report.

Repository: acme/larder

The "export" command fails for names with letters like é: "UnicodeEncodeError".
"""
NEW_TEST = "tests.test_export_names"


def passes(folder: Path, *names: str) -> bool:
    """Run the repository's tests in a folder."""
    command = [sys.executable, "-m", "unittest", *names]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def play(plane: ControlPlane, start: Start, kilo: Path, recordings: Path) -> None:
    """Run the task with a model that replays these recordings."""
    with running(model.app(model.load(recordings), API_KEY)) as address:
        plane.model = {"base_url": f"{address}/v1", "api_key": API_KEY, "name": model.MODEL}
        plane.prompt = PROMPT
        status, said = ended(start(kilo))
    assert status == 0, said


def test_the_recorded_fix_proves_itself(
    plane: ControlPlane, start: Start, kilo: Path, larder: Path
) -> None:
    """The patch holds a test that fails on the base and passes on a branch with the patch."""
    play(plane, start, kilo, ROOT / "sample/recordings")
    assert plane.reports[0]["outcome"] == "patch", plane.log
    assert "UTF-8" in plane.reports[0]["summary"]
    patch = json.loads(plane.uploads["patch"])
    files = {each["path"]: each["content"] for each in patch["files"]}
    assert set(files) == {"larder/export.py", "tests/test_export_names.py"}

    git(larder, "switch", "--quiet", "--create", "fix", patch["base"])
    (larder / "tests/test_export_names.py").write_text(files["tests/test_export_names.py"])
    assert not passes(larder, NEW_TEST)
    (larder / "larder/export.py").write_text(files["larder/export.py"])
    assert passes(larder, NEW_TEST)
    assert passes(larder)

    assert "[bash] python3 -m unittest" in plane.log
    assert "UnicodeEncodeError" in plane.log
    assert API_KEY not in plane.log


def test_an_engine_with_nothing_to_say_changes_nothing(
    plane: ControlPlane, start: Start, kilo: Path, tmp_path: Path
) -> None:
    """A model that only talks ends in no_change, with its words as the summary."""
    recording = {
        "name": "talk",
        "match": ["acme/larder"],
        "steps": [{"content": "It works as intended.", "tool_calls": []}],
    }
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings/talk.json").write_text(json.dumps(recording))
    play(plane, start, kilo, tmp_path / "recordings")
    assert plane.reports[0]["outcome"] == "no_change", plane.log
    assert plane.reports[0]["summary"] == "It works as intended."


def test_a_model_that_is_not_there_is_the_reason(
    plane: ControlPlane, start: Start, kilo: Path, tmp_path: Path
) -> None:
    """A 401 ends the run at once, and people read what the model's server said."""
    (tmp_path / "recordings").mkdir()
    play(plane, start, kilo, tmp_path / "recordings")
    assert plane.reports[0]["outcome"] == "failed"
    assert "401: no model is configured" in plane.reports[0]["reason"]
