"""What is kept of an attempt, and what can be followed while it runs."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.agent.conftest import Start, ended, until
from tests.agent.control_plane import (
    API_KEY,
    CALLBACK_TOKEN,
    READ_TOKEN,
    SIGNATURE,
    TICKET,
    ControlPlane,
)
from tests.agent.prompts import ASK
from tests.agent.repositories import git
from tests.agent.upstream import Upstream, said, serving

SECRETS = [TICKET, CALLBACK_TOKEN, READ_TOKEN, API_KEY, SIGNATURE, "ghp_abcdef0123456789"]


@pytest.fixture
def upstream(plane: ControlPlane) -> Iterator[Upstream]:
    """The job's model, scripted."""
    with serving() as upstream:
        plane.model = upstream.model
        yield upstream


def test_the_whole_record_is_stored(
    plane: ControlPlane, start: Start, fake_engine: Path, upstream: Upstream, larder: Path
) -> None:
    """Conversation, log, patch and proof, and one document that says how it ended."""
    plane.prompt = ASK + "open('new.txt', 'w').write('x'); say(ask()[1])"
    plane.tests = {"command": "true"}
    assert ended(start(fake_engine))[0] == 0
    assert set(plane.uploads) == {"conversation", "log", "patch", "proof", "result"}
    report = plane.reports[0]
    for what in ("patch", "proof"):
        assert report[f"{what}_sha256"] == hashlib.sha256(plane.uploads[what]).hexdigest()
    assert report["verdict"] == json.loads(plane.uploads["proof"])["verdict"] == "tests_pass"
    result = json.loads(plane.uploads["result"])
    assert {name: result[name] for name in report} == report
    assert (result["job_id"], result["attempt"]) == ("job-1", 1)
    assert (result["engine"], result["model"]) == ("kilo", "scripted")
    assert result["confinement"] in plane.log
    assert result["base"] == git(larder, "rev-parse", "HEAD")
    times = [datetime.fromisoformat(result[name]) for name in ("started_at", "ended_at")]
    assert times == sorted(times)
    assert report["spent"] == {
        "calls": 1,
        "read": 1000,
        "written": 20,
        "dollars": pytest.approx(0.0055),
    }


def test_an_attempt_without_a_patch_has_a_record_too(
    plane: ControlPlane, start: Start, fake_engine: Path
) -> None:
    """A failure is what people look into."""
    plane.base = "gone"
    assert ended(start(fake_engine))[0] == 0
    result = json.loads(plane.uploads["result"])
    assert (result["outcome"], result["cause"], result["base"]) == ("failed", "clone", "")
    assert "gone" in result["reason"]
    assert set(plane.uploads) == {"conversation", "log", "result"}


def test_the_log_can_be_followed_while_the_engine_works(
    plane: ControlPlane, start: Start, fake_engine: Path, shared: Path
) -> None:
    """What it says arrives before it ends, and at the end all that the log says is there."""
    gate = shared / "go on"
    plane.prompt = f"""
say("I look around")
while not os.path.exists({str(gate)!r}): time.sleep(0.05)
say("I am done")
"""
    task = start(fake_engine)
    until(lambda: "I look around" in "\n".join(plane.followed))
    assert plane.reports == []
    gate.touch()
    assert ended(task)[0] == 0
    assert plane.followed[-1].endswith("Outcome: no_change. " + plane.reports[0]["reason"])
    assert plane.log.splitlines() == plane.followed


def test_the_proof_is_announced_with_what_was_spent(
    plane: ControlPlane, start: Start, fake_engine: Path, upstream: Upstream
) -> None:
    """The control plane hears that the engine is done before any test runs."""
    plane.prompt = ASK + "ask(); open('new.txt', 'w').close()"
    assert ended(start(fake_engine))[0] == 0
    assert [each["spent"] for each in plane.proved] == [plane.reports[0]["spent"]]


def test_no_secret_leaves_the_task(
    plane: ControlPlane, start: Start, fake_engine: Path, upstream: Upstream
) -> None:
    """Whatever the engine, its model and the tests say, in whatever encoding."""
    encoded = [
        base64.b64encode(b"x" * n + each.encode()).decode()
        for each in SECRETS[:5]
        for n in range(3)
    ]
    ways = [*SECRETS, *encoded, json.dumps("\n".join(SECRETS)), quote("&".join(SECRETS))]
    upstream.script = [said("\n".join(ways), "echo " + " ".join(ways))]
    plane.prompt = (
        ASK
        + f"""
text = " ".join({ways!r})
print(text, flush=True)
say(text)
ask(text)
open("new.txt", "w").close()
say("In the end: " + text)
"""
    )
    plane.tests = {"command": f"echo {' '.join(SECRETS)}"}
    status, shown = ended(start(fake_engine))
    assert (status, plane.reports[0]["outcome"]) == (0, "patch")
    stored = b"".join(plane.uploads.values()).decode()
    everything = shown + stored + json.dumps(plane.reports) + "\n".join(plane.followed)
    assert "[redacted]" in plane.log
    assert [secret for secret in SECRETS if secret in everything] == []
    # Without the characters at its ends, which it shares with its neighbours.
    assert [each for each in encoded if each[4:-4] in everything] == []
    assert plane.uploads["proof"].count(b"[redacted]") >= len(SECRETS)
    for line in plane.uploads["conversation"].splitlines():
        json.loads(line)
