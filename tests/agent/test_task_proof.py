"""The proof as part of a task: the real entry point, from the engine's work to the report."""

import hashlib
import json
import uuid
from pathlib import Path

import pytest

from tests.agent.conftest import PYTHON, Start, ended, running_with, until
from tests.agent.control_plane import ControlPlane

FIX = '''
from pathlib import Path
path = Path("larder/units.py")
path.write_text(path.read_text() + "\\ndef double(n):\\n    return 2 * n\\n")
Path("tests/test_double.py").write_text("""
import unittest
from larder.units import double
class Double(unittest.TestCase):
    def test_double(self):
        self.assertEqual(double(2), 4)
""")
say("Done.")
'''


def test_a_proven_patch_is_reported_with_its_proof(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path
) -> None:
    """The control plane hears first that tests are run; then the proof is stored and pinned."""
    plane.prompt = FIX
    assert ended(start(fake_engine))[0] == 0
    (report,) = plane.reports
    uploaded = plane.uploads["proof"]
    proof = json.loads(uploaded)
    assert (report["outcome"], report["verdict"]) == ("patch", "proven"), proof
    assert (report["cause"], report["reason"]) == ("", "")
    assert report["proof_sha256"] == hashlib.sha256(uploaded).hexdigest()
    assert len(plane.proved) == 1
    assert proof["verdict"] == "proven"
    assert proof["command"] == "python3 -m unittest"
    assert [each["status"] for each in proof["runs"]] == [0, 0, 1]
    assert list((shared / "temporary").iterdir()) == []


def test_an_end_without_a_patch_has_no_proof(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """Neither is the control plane told of one."""
    plane.prompt = "say('Nothing to do.')"
    assert ended(start(fake_engine))[0] == 0
    assert (plane.reports[0]["outcome"], plane.reports[0]["cause"]) == ("no_change", "no_change")
    assert plane.proved == []
    assert "proof" not in plane.uploads


def test_a_patch_with_which_tests_fail_is_handed_in_as_that(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """Whether it is published is for the control plane to say."""
    plane.prompt = "open('larder/units.py', 'w').close()"
    assert ended(start(fake_engine))[0] == 0
    assert (plane.reports[0]["outcome"], plane.reports[0]["verdict"]) == ("patch", "tests_fail")
    assert "patch" in plane.uploads


def test_an_engine_has_a_deadline_of_its_own(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """Past it the attempt has timed out, however much is left for a proof."""
    plane.prompt, plane.engine_seconds = "time.sleep(1000)", 3
    assert ended(start(fake_engine))[0] == 0
    assert (plane.reports[0]["outcome"], plane.reports[0]["cause"]) == ("timed_out", "deadline")


@pytest.mark.parametrize("how", ["stale", "told to end"])
def test_a_proof_ends_with_its_attempt(
    plane: ControlPlane, start: Start, fake_engine: Path, how: str
) -> None:
    """A refused heartbeat and SIGTERM end the tests that run, and nothing is reported."""
    marker = f"marker-{uuid.uuid4()}"
    plane.prompt = "open('new', 'w').close()"
    plane.tests = {"command": f"{PYTHON} -c 'import time; time.sleep(1000)' {marker}"}
    task = start(fake_engine)
    until(lambda: bool(running_with(marker)))
    if how == "stale":
        plane.stale = True
    else:
        task.terminate()
    assert ended(task)[0] == (3 if how == "stale" else 143)
    assert plane.reports == []
    assert "patch" not in plane.uploads
    assert running_with(marker) == []


def test_a_proof_that_is_refused_runs_no_test(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path
) -> None:
    """An attempt that was given up ends before its tests are started."""
    ran = shared / "ran"
    plane.prompt, plane.proving_is_stale = "open('new', 'w').close()", True
    plane.tests = {"command": f"touch {ran}"}
    assert ended(start(fake_engine))[0] == 3
    assert plane.reports == []
    assert not ran.exists()
