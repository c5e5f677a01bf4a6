"""The real entry point, started as a process, with an engine that does as it is told."""

import hashlib
import json
import uuid
from pathlib import Path

from soulcaster_agent.redact import basic_credentials
from tests.agent.conftest import PYTHON, Start, ended, running_with, until
from tests.agent.control_plane import READ_TOKEN, ControlPlane
from tests.agent.prompts import hanging
from tests.agent.repositories import git


def test_a_change_is_handed_in_as_a_patch(
    plane: ControlPlane, start: Start, fake_engine: Path, larder: Path
) -> None:
    """Files, diff, summary and log arrive, and the report says patch."""
    plane.prompt = "open('new.txt', 'w').write('crème'); os.remove('README.md'); say('Done.')"
    status, _ = ended(start(fake_engine))
    assert status == 0
    uploaded = plane.uploads["patch"]
    sha256 = hashlib.sha256(uploaded).hexdigest()
    assert len(plane.reports) == 1
    report = plane.reports[0]
    assert (report["outcome"], report["cause"], report["reason"]) == ("patch", "", "")
    assert (report["summary"], report["patch_sha256"]) == ("Done.", sha256)
    patch = json.loads(uploaded)
    assert patch["base"] == git(larder, "rev-parse", "HEAD")
    assert patch["summary"] == "Done."
    assert "+crème" in patch["diff"]
    assert patch["files"] == [
        {"path": "README.md", "mode": "100644", "content": None, "deleted": True, "binary": False},
        {
            "path": "new.txt",
            "mode": "100644",
            "content": "crème",
            "deleted": False,
            "binary": False,
        },
    ]
    assert "Done." in plane.log


def test_no_change_has_a_name_of_its_own(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """An engine that ends well without changing a file is not a success."""
    plane.prompt = "say('Nothing to do.')"
    assert ended(start(fake_engine))[0] == 0
    assert (plane.reports[0]["outcome"], plane.reports[0]["cause"]) == ("no_change", "no_change")
    assert plane.reports[0]["summary"] == "Nothing to do."
    assert "patch" not in plane.uploads


def test_what_the_engine_does_to_its_git_is_not_believed(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path
) -> None:
    """Committed work counts, and hooks, filters and monitors planted in .git never run."""
    trap = shared / "trapped"
    plane.prompt = f"""
def git(*a): subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *a], check=True)
open("fixed.txt", "w").write("fixed")
git("add", "."); git("commit", "-qm", "mine")
for key in ("core.fsmonitor", "filter.f.clean", "diff.external"):
    git("config", key, "touch {trap}; cat")
open(".gitattributes", "w").write("* filter=f\\n")
"""
    assert ended(start(fake_engine))[0] == 0
    files = {each["path"]: each for each in json.loads(plane.uploads["patch"])["files"]}
    assert set(files) == {"fixed.txt", ".gitattributes"}
    assert files["fixed.txt"]["content"] == "fixed"
    assert not trap.exists()


def test_an_engine_that_crashes_fails_with_a_reason(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """A signal is named, and changes made before it are not handed in."""
    plane.prompt = "open('half', 'w').close(); os.kill(os.getpid(), 9)"
    assert ended(start(fake_engine))[0] == 0
    assert (plane.reports[0]["outcome"], plane.reports[0]["cause"]) == ("failed", "engine")
    assert "SIGKILL" in plane.reports[0]["reason"]
    assert "patch" not in plane.uploads


def test_an_engine_that_is_not_there_fails_with_a_reason(
    plane: ControlPlane, start: Start, tmp_path: Path
) -> None:
    """A missing binary is reported, not left to a time-out."""
    assert ended(start(tmp_path / "nowhere"))[0] == 0
    assert plane.reports[0]["cause"] == "engine"
    assert plane.reports[0]["reason"].startswith("The engine could not be started")


def test_a_base_that_does_not_exist_fails_with_a_reason(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """What git says about the clone reaches the report."""
    plane.base = "gone"
    assert ended(start(fake_engine))[0] == 0
    assert (plane.reports[0]["outcome"], plane.reports[0]["cause"]) == ("failed", "clone")
    assert "gone" in plane.reports[0]["reason"]


def test_no_model_is_said_without_starting_anything(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """A job without a model fails at once, with that as the reason."""
    plane.model = None
    assert ended(start(fake_engine))[0] == 0
    assert plane.reports[0] == {
        "outcome": "failed",
        "cause": "no_model",
        "reason": "No model is configured.",
        "summary": "",
        "patch_sha256": "",
        "proof_sha256": "",
        "verdict": "",
        "spent": {"calls": 0, "read": 0, "written": 0, "dollars": 0},
        "exact": True,
    }


def test_the_deadline_leaves_no_process(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """An engine that ignores SIGTERM and a child in a session of its own both end."""
    marker = f"marker-{uuid.uuid4()}"
    plane.prompt, plane.seconds = hanging(marker), 4
    status, _ = ended(start(fake_engine))
    assert status == 0
    assert (plane.reports[0]["outcome"], plane.reports[0]["cause"]) == ("timed_out", "deadline")
    assert "working" in plane.log
    assert running_with(marker) == []


def test_work_left_running_in_the_background_is_ended(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """After an engine that ended well nothing can go on changing files."""
    marker = f"marker-{uuid.uuid4()}"
    code = "import time; time.sleep(1000)"
    plane.prompt = (
        f"subprocess.Popen([{PYTHON!r}, '-c', {code!r}, {marker!r}],"
        "start_new_session=True)\nsay('Done.')"
    )
    assert ended(start(fake_engine))[0] == 0
    assert plane.reports[0]["outcome"] == "no_change"
    assert running_with(marker) == []


def test_a_refused_heartbeat_stops_the_engine(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """A superseded attempt ends without a report and without leaving a process."""
    marker = f"marker-{uuid.uuid4()}"
    plane.prompt = hanging(marker)
    task = start(fake_engine)
    until(lambda: plane.beats > 0 and bool(running_with(marker)))
    plane.stale = True
    status, said = ended(task)
    assert status == 3
    assert "superseded" in said
    assert plane.reports == []
    assert running_with(marker) == []


def test_a_killed_task_that_is_run_again_ends_clearly(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """The ticket is used up; a new attempt is the control plane's business."""
    plane.prompt = "parent = os.getppid()\nwhile os.getppid() == parent: time.sleep(0.1)"
    first = start(fake_engine)
    until(lambda: plane.beats > 0)
    first.kill()
    ended(first)
    status, said = ended(start(fake_engine))
    assert status == 3
    assert "the ticket was refused" in said
    assert "Traceback" not in said
    assert plane.reports == []


def test_the_report_is_repeated_until_it_arrives(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """A control plane that answers 503 for a while still gets one report."""
    plane.prompt, plane.failures = "say('Nothing.')", 2
    assert ended(start(fake_engine))[0] == 0
    assert [each["outcome"] for each in plane.reports] == ["no_change"]


def test_the_engine_gets_named_variables_only_and_no_token(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path
) -> None:
    """The read token is in no variable, no file of the clones and no argument."""
    found = shared / "found.json"
    plane.prompt = f"""
from pathlib import Path
paths = [p for p in Path("..").rglob("*") if p.is_file()] + [*Path("/proc").glob("[0-9]*/cmdline")]
secrets = [s.encode() for s in ({READ_TOKEN!r}, {basic_credentials(READ_TOKEN)!r})]
holders = [str(p) for p in paths if any(s in p.read_bytes() for s in secrets)]
json.dump([sorted(os.environ), len(paths), holders], open({str(found)!r}, "w"))
"""
    assert ended(start(fake_engine))[0] == 0
    variables, looked_at, holders = json.loads(found.read_text())
    assert looked_at > 50
    assert set(variables) - {"LC_CTYPE"} == {
        "PATH",
        "HOME",
        "LANG",
        "TMPDIR",
        "KILO_CONFIG_CONTENT",
        "KILO_SESSION_RETRY_LIMIT",
        "KILO_DISABLE_MODELS_FETCH",
    }
    assert holders == []
