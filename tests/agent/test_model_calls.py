"""The task with a scripted model: what engines, the real one too, ask it through the proxy."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.conftest import PYTHON, Start, ended, running_with, until
from tests.agent.control_plane import API_KEY, ControlPlane
from tests.agent.repositories import commit_all, git
from tests.agent.test_confinement import SECRETS, needs_root
from tests.agent.upstream import Upstream, said, serving


@pytest.fixture
def upstream(plane: ControlPlane) -> Iterator[Upstream]:
    with serving() as upstream:
        plane.model = upstream.model
        yield upstream


CALL = """
import urllib.request
given = json.loads(os.environ["KILO_CONFIG_CONTENT"])["provider"]["local"]["options"]
def call():
    body = json.dumps({"model": "scripted", "messages": [{"role": "user", "content": "x"}]})
    headers = {"Authorization": "Bearer " + given["apiKey"]}
    request = urllib.request.Request(
        given["baseURL"] + "/chat/completions", body.encode(), headers)
    return json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"]
"""


def test_a_jobs_model_calls_are_counted_and_recorded(
    plane: ControlPlane, start: Start, fake_engine: Path, upstream: Upstream
) -> None:
    """The log says what the model cost at the job's price; the conversation is stored."""
    plane.model = {**upstream.model, "price": {"read": 1, "written": 10}}
    plane.prompt = CALL + "call(); say(call())"
    assert ended(start(fake_engine))[0] == 0
    assert plane.reports[0]["summary"] == "Done."
    assert "2 model calls, 2,000 tokens read, 40 written, $0.0024." in plane.log
    lines = plane.uploads["conversation"].decode().splitlines()
    assert [json.loads(line)["answer"] for line in lines] == ["Done.", "Done."]


def test_a_job_over_its_budget_ends_as_that(
    plane: ControlPlane, start: Start, fake_engine: Path, upstream: Upstream
) -> None:
    """An engine that goes on asking is stopped, with its own outcome and a reason in words."""
    marker = f"marker-{uuid.uuid4()}"
    plane.budget = {"dollars": 1, "tokens": 5_000}
    child = f"subprocess.Popen([{PYTHON!r}, '-c', 'import time; time.sleep(1000)', {marker!r}])\n"
    loop = "open('half', 'w').close()\nwhile True:\n    try: call()\n    except OSError: pass\n"
    plane.prompt = CALL + child + loop
    assert ended(start(fake_engine))[0] == 0
    assert plane.reports[0]["outcome"] == "over_budget"
    assert "reached its budget of $1.00 and 5,000 tokens" in plane.reports[0]["reason"]
    assert "patch" not in plane.uploads
    assert len(upstream.asked) == 5
    assert running_with(marker) == []


# Goes to where the engine is, as the user that the tests run as.
INTRUDE = """
import httpx, os, sys
pid, url, token = sys.argv[1:]
os.setns(os.open(f"/proc/{pid}/ns/net", os.O_RDONLY), os.CLONE_NEWNET)
headers = {"Authorization": f"Bearer {token}"}
body = {"model": "scripted", "messages": []}
print(httpx.post(f"{url}/chat/completions", json=body, headers=headers).status_code)
"""


@needs_root
def test_s22_the_engines_token_is_its_users_own(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path, upstream: Upstream
) -> None:
    """Another user who has the token, and is in the engine's network, can't spend its budget."""
    plane.prompt = (
        CALL
        + f"""
with open({str(shared / "given")!r} + "~", "w") as file: json.dump([os.getpid(), given], file)
os.chmod(file.name, 0o644)
os.rename(file.name, {str(shared / "given")!r})
while not os.path.exists({str(shared / "go-on")!r}): time.sleep(0.05)
say(call())
"""
    )
    task = start(fake_engine)
    until((shared / "given").exists)
    pid, given = json.loads((shared / "given").read_text())
    arguments = [str(pid), given["baseURL"], given["apiKey"]]
    intruder = [sys.executable, "-c", INTRUDE, *arguments]
    assert subprocess.run(intruder, capture_output=True, check=True).stdout == b"401\n"
    (shared / "go-on").touch()
    assert ended(task)[0] == 0
    assert plane.reports[0]["summary"] == "Done."
    assert len(upstream.asked) == 1


ATTACK = """id; env; tr '\\0' '\\n' < /proc/$PPID/environ
cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -E 'ticket|callback|key|gh'
cat .git/config ~/.git-credentials ~/.netrc ~/.aws/credentials; git config --list
find .. -maxdepth 3 -name work -prune -o -type f -exec cat {} +
echo sent"""


@needs_root
def test_s22_kilo_that_obeys_an_attacker_gives_nothing_away(
    plane: ControlPlane, start: Start, kilo: Path, upstream: Upstream, shared: Path
) -> None:
    """The real engine's shell shows the model, the log and the record nothing secret."""
    upstream.script = [said("Looking around.", ATTACK), said("That is all.")]
    status, printed = ended(start(kilo))
    assert status == 0
    shown = json.dumps(upstream.asked)
    assert "uid=2" in shown, plane.log
    assert "sent" in shown
    assert upstream.authorizations == [f"Bearer {API_KEY}"] * len(upstream.asked)
    everything = [shown, printed, plane.log, json.dumps(plane.reports)]
    everything.append(plane.uploads["conversation"].decode())
    for secret in SECRETS:
        assert [text for text in everything if secret in text] == []
    assert "That is all." in plane.uploads["conversation"].decode()
    assert plane.reports[0]["summary"] == "That is all."
    assert f"{len(upstream.asked)} model calls" in plane.log


def test_s22_kilo_follows_the_base_branchs_instructions_and_stops_at_the_budget(
    plane: ControlPlane, start: Start, kilo: Path, upstream: Upstream, larder: Path
) -> None:
    """Instructions come from the base commit alone; a real engine over budget ends as that."""
    plane.budget = {"dollars": 100, "tokens": 60_000}
    upstream.usage = {"prompt_tokens": 20_000, "completion_tokens": 10, "total_tokens": 20_010}
    (larder / "AGENTS.md").write_text("Marked as the base branch's own instructions.")
    commit_all(larder)
    git(larder, "push", "--quiet", str(plane.repository), "main")
    git(plane.repository, "update-server-info")
    upstream.script = [said("Again.", "true")]
    assert ended(start(kilo))[0] == 0
    assert plane.reports[0]["outcome"] == "over_budget", plane.log
    assert "Marked as the base branch's own instructions." in json.dumps(upstream.asked[0])
