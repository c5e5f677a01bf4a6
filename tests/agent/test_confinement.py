"""What an engine that does as an attacker says can find, reach and leave behind."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from soulcaster_agent.bubblewrap import find
from soulcaster_agent.confinement import LAUNCH, OtherUser
from soulcaster_agent.job import is_loopback
from soulcaster_agent.redact import basic_credentials
from soulcaster_agent.users import UIDS
from tests.agent.conftest import PYTHON, ROOT, Start, ended, running_with, until
from tests.agent.control_plane import API_KEY, CALLBACK_TOKEN, READ_TOKEN, TICKET, ControlPlane

needs_root = pytest.mark.skipif(
    os.getuid() != 0, reason="only root can run the engine as another user"
)
SECRETS = [
    *(TICKET, CALLBACK_TOKEN, READ_TOKEN, API_KEY, "X-Amz-Signature=0a1b2c3d"),
    *(basic_credentials(READ_TOKEN), "planted-where-all-can-read"),
]
# Looks into whatever a process can open. The secrets come reversed, so that the engine's own
# program doesn't hold them; what is found goes into the patch, the one way out.
HUNT = """
import glob
secrets = [text[::-1].encode() for text in {reversed!r}]
places = glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline")
places += glob.glob("/proc/[0-9]*/fd/*") + glob.glob("/proc/[0-9]*/task/*/environ")
for top in ("..", os.environ["HOME"], {temporary!r}, {private!r}, {shared!r}):
    for folder, _, files in os.walk(top):
        places += [os.path.join(folder, name) for name in files]
found, opened = [], 0
for place in places:
    try:
        if not os.path.isfile(place):
            continue
        with open(place, "rb") as file:
            content = file.read(5_000_000)
    except OSError:
        continue
    opened += 1
    found += [[place, text.decode()] for text in secrets if text in content]
memory = []
for pid in glob.glob("/proc/[0-9]*"):
    if int(pid[6:]) not in (os.getpid(), os.getppid()) and os.access(pid + "/mem", os.R_OK):
        memory.append(pid)
killed = []
for pid in (os.getppid(), 1):
    try:
        os.kill(pid, 0)
        killed.append(pid)
    except OSError:
        pass
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
json.dump({{
    "found": found, "opened": opened, "uid": os.getuid(), "groups": os.getgroups(),
    "environ": dict(os.environ), "memory": memory, "killed": killed,
    "no_new_privs": status["NoNewPrivs"].strip(), "capabilities": status["CapEff"].strip(),
}}, open("report.json", "w"))
say("Done.")
"""


def hunt(shared: Path, private: Path) -> str:
    """A program that looks for the secrets."""
    (shared / "readable").write_text("planted-where-all-can-read")
    return HUNT.format(
        reversed=[secret[::-1] for secret in SECRETS],
        temporary=str(shared / "temporary"),
        private=str(private),
        shared=str(shared),
    )


def report(plane: ControlPlane) -> dict[str, Any]:
    """What the program reported, in the patch that it made."""
    assert plane.reports[0]["outcome"] == "patch", plane.log
    files = json.loads(plane.uploads["patch"])["files"]
    found: dict[str, Any] = json.loads(files[0]["content"])
    return found


@needs_root
def test_s22_the_engine_finds_no_secret(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path, tmp_path: Path
) -> None:
    """No environment, command line, file or memory that it can open holds a secret."""
    plane.prompt = hunt(shared, tmp_path)
    assert ended(start(fake_engine))[0] == 0
    told = report(plane)
    # The last one is there to be found: the hunt does find what can be read.
    assert [secret for _, secret in told["found"]] == SECRETS[-1:]
    assert told["opened"] > 20
    assert (told["memory"], told["killed"]) == ([], [])
    assert told["uid"] not in {0, os.getuid()}
    assert told["groups"] == []
    assert (told["no_new_privs"], int(told["capabilities"], 16)) == ("1", 0)
    assert "runs as user" in plane.log


def test_s22_the_engines_model_is_the_proxy(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """What the engine is told of the model is an address on loopback and a token of the run."""
    plane.prompt = "open('given.json', 'w').write(os.environ['KILO_CONFIG_CONTENT'])"
    plane.model = {"base_url": "https://model.example/v1", "api_key": API_KEY, "name": "m"}
    if os.getuid() != 0:
        plane.model["base_url"] = "http://127.0.0.1:9/v1"
    assert ended(start(fake_engine))[0] == 0
    options = report(plane)["provider"]["local"]["options"]
    assert is_loopback(options["baseURL"])
    assert len(options["apiKey"]) >= 32
    assert "model.example" not in json.dumps(report(plane))


DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import signal
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.chdir("/")
        # Goes on having children, each the orphan of the one before.
        os.execv({python!r}, [{python!r}, "-c", {again!r}, {marker!r}])
    os._exit(0)
os.wait()
say("working")
time.sleep(1000)
"""


def test_s22_the_deadline_leaves_no_double_forked_child(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """A daemon in a session of its own that goes on forking ends with its engine."""
    marker = f"marker-{uuid.uuid4()}"
    again = (
        "import os, time\n"
        "while True:\n"
        "    if os.fork(): time.sleep(0.05); os._exit(0)\n"
        "    os.setsid()\n"
    )
    plane.prompt = DAEMON.format(python=PYTHON, again=again, marker=marker)
    plane.seconds = 5
    task = start(fake_engine)
    until(lambda: bool(running_with(marker)))
    assert ended(task)[0] == 0
    assert plane.reports[0]["outcome"] == "timed_out"
    assert running_with(marker) == []


@needs_root
def test_s22_two_jobs_on_a_machine_are_two_users(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path
) -> None:
    """Engines that run at once can't read each other, and one's end is not the other's."""
    plane.prompt = f"""
open({str(shared)!r} + "/uid-" + str(os.getuid()), "w").close()
say(str(os.getuid()))
while len([n for n in os.listdir({str(shared)!r}) if n.startswith("uid-")]) < 2: time.sleep(0.05)
"""
    first = start(fake_engine)
    until(lambda: plane.claimed)
    plane.claimed = False
    second = start(fake_engine)
    assert [ended(first)[0], ended(second)[0]] == [0, 0]
    assert len({each["summary"] for each in plane.reports}) == 2


def without_confinement(tmp_path: Path) -> dict[str, str]:
    """An environment in which no user but this one can work, and no bubblewrap is found."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "test"):
        (tools / name).symlink_to(shutil.which(name) or name)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    return {"PATH": str(tools), "TMPDIR": str(closed)}


@pytest.mark.parametrize("what", ["model", "repository"])
def test_s22_real_credentials_are_refused_without_confinement(
    plane: ControlPlane, start: Start, fake_engine: Path, tmp_path: Path, what: str
) -> None:
    """Where the engine can't be confined it doesn't start, and people read why."""
    if what == "model":
        plane.model = {"base_url": "https://model.example/v1", "api_key": API_KEY, "name": "m"}
    else:
        plane.clone_url = "https://github.com/acme/larder.git"
    plane.prompt = "open('new', 'w').close(); say('I ran.')"
    assert ended(start(fake_engine, **without_confinement(tmp_path)))[0] == 0
    assert plane.reports[0]["outcome"] == "refused"
    assert "can't be confined" in plane.reports[0]["reason"]
    assert "NOT CONFINED" in plane.log
    assert "I ran." not in plane.log


def test_without_confinement_a_local_model_will_do_and_the_log_says_so(
    plane: ControlPlane, start: Start, fake_engine: Path, tmp_path: Path
) -> None:
    """On a laptop with nothing but emulators the engine runs all the same."""
    plane.prompt = "say('I ran.')"
    assert ended(start(fake_engine, **without_confinement(tmp_path)))[0] == 0
    assert plane.reports[0]["outcome"] == "no_change"
    assert "NOT CONFINED" in plane.log


def test_s22_bubblewrap_hides_everything_else(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path, tmp_path: Path
) -> None:
    """Where no other user will do, the engine sees its own folders, its processes, and /usr."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    if not find((Path(sys.executable),), closed):
        pytest.skip("bubblewrap is not installed, or may not make namespaces here")
    (tmp_path / "private").write_text(API_KEY)
    plane.prompt = hunt(shared, tmp_path)
    plane.model = {"base_url": "https://model.example/v1", "api_key": API_KEY, "name": "m"}
    environment = {"TMPDIR": str(closed)}
    if os.getuid() == 0:
        tmp_path.chmod(0o700)
    assert ended(start(fake_engine, **environment))[0] == 0
    told = report(plane)
    assert {secret for _, secret in told["found"]} == {SECRETS[-1]}
    assert (told["memory"], int(told["capabilities"], 16)) == ([], 0)
    assert "namespaces of its own" in plane.log


def test_s22_a_file_that_is_not_the_engines_is_noticed(tmp_path: Path) -> None:
    """A hard link to what the engine can't read would be read by the supervisor."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").touch()
    assert OtherUser(os.getuid()).foreign(tmp_path) is None
    assert OtherUser(os.getuid() + 1).foreign(tmp_path) == Path("folder")


def test_an_engine_that_comes_too_late_does_not_start(tmp_path: Path) -> None:
    """A supervisor that ended before its engine began leaves no engine without one."""
    started = tmp_path / "started"
    command = [sys.executable, "-I", "-S", str(LAUNCH), "1", "-", "-", "-", "touch", str(started)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert b"the supervisor has ended" in done.stderr
    assert done.returncode != 0
    assert not started.exists()


def test_the_image_has_a_name_for_the_engines_user() -> None:
    """Tools that ask who they are find an answer in the image."""
    dockerfile = (ROOT / "agent-container/Dockerfile").read_text()
    assert f"--uid {UIDS[0]} engine" in dockerfile
