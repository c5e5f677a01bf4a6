"""The second engine: its real command line, what it is told, and what is read from it."""

import json
import os
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from soulcaster_agent.engine import EngineResult
from soulcaster_agent.job import Model
from soulcaster_agent.log import Log
from soulcaster_agent.mini_record import read_record, result
from soulcaster_agent.mini_settings import SUBMIT, settings, to_yaml
from soulcaster_agent.mini_transcript import Transcript
from soulcaster_agent.redact import Redactor
from tests.agent.conftest import ended, running_with
from tests.agent.control_plane import ControlPlane
from tests.agent.real_engines import StartEngine, start_engine, upstream
from tests.agent.repositories import commit_all, git
from tests.agent.test_confinement import SECRETS, needs_root
from tests.agent.test_model_calls import ATTACK
from tests.agent.upstream import Upstream, said

__all__ = ["start_engine", "upstream"]

MINI = "mini-swe-agent"


def test_it_submits_what_it_did(
    plane: ControlPlane, start_engine: StartEngine, upstream: Upstream, larder: Path
) -> None:
    """The way it is told to end; settings and variables that the clone holds are not its own."""
    (larder / "mini.yaml").write_text("agent: {system_template: planted}")
    (larder / ".env").write_text("OPENAI_API_BASE=http://planted.example\nMSWEA_SILENT_STARTUP=")
    commit_all(larder)
    git(larder, "push", "--quiet", str(plane.repository), "main")
    git(plane.repository, "update-server-info")
    upstream.script = [said("", "rm mini.yaml"), said("I removed it.", SUBMIT)]
    assert ended(start_engine(MINI))[0] == 0
    assert plane.reports[0]["outcome"] == "patch", plane.log
    assert plane.reports[0]["summary"] == "I removed it."
    assert len(upstream.asked) == 2
    assert "planted" not in json.dumps(upstream.asked)
    assert "Exit status: 0" in plane.log


def test_a_model_that_can_not_be_reached_is_the_reason(
    plane: ControlPlane, start_engine: StartEngine
) -> None:
    """It gives up after some attempts, which the log shows, and people read why."""
    assert plane.model is not None
    plane.model["base_url"] = "http://127.0.0.1:9/v1"
    assert ended(start_engine(MINI))[0] == 0
    assert (plane.reports[0]["outcome"], plane.reports[0]["cause"]) == ("failed", "engine")
    assert plane.reports[0]["reason"] == "The model failed: the model's server can't be reached"
    assert "Retrying" in plane.log


def test_its_time_is_limited(
    plane: ControlPlane, start_engine: StartEngine, upstream: Upstream
) -> None:
    """At the deadline it ends, and so does what it had started."""
    marker = f"marker-{uuid.uuid4()}"
    upstream.script = [said("I wait.", f"bash -c 'exec -a {marker} sleep 1000'")]
    plane.seconds = 15
    assert ended(start_engine(MINI))[0] == 0
    assert plane.reports[0]["outcome"] == "timed_out"
    assert running_with(marker) == []
    assert len(upstream.asked) == 1


def test_it_ends_at_the_budget(
    plane: ControlPlane, start_engine: StartEngine, upstream: Upstream
) -> None:
    """The proxy is what limits it: it has no limit of its own."""
    plane.budget = {"dollars": 100, "tokens": 60_000}
    upstream.usage = {"prompt_tokens": 20_000, "completion_tokens": 10, "total_tokens": 20_010}
    upstream.script = [said("Again.", "true")]
    assert ended(start_engine(MINI))[0] == 0
    assert plane.reports[0]["outcome"] == "over_budget", plane.log


@needs_root
def test_s22_it_gives_nothing_away(
    plane: ControlPlane, start_engine: StartEngine, upstream: Upstream
) -> None:
    """As a user of its own, obeying an attacker, it shows nothing secret to anybody."""
    upstream.script = [said("Looking around.", ATTACK), said("That is all.", SUBMIT)]
    status, printed = ended(start_engine(MINI))
    assert status == 0
    shown = json.dumps(upstream.asked)
    assert "uid=2" in shown, plane.log
    assert "sent" in shown
    everything = [shown, printed, plane.log, json.dumps(plane.reports)]
    everything.append(plane.uploads["conversation"].decode())
    for secret in SECRETS:
        assert [each for each in everything if secret in each] == []
    assert "runs as user" in plane.log
    assert plane.reports[0]["summary"] == "That is all."


@pytest.mark.parametrize(
    "text", ["é 🥕 \x00\x7f\x85\u2028\ufeff", 'a: "b" \\ \\ud83d\\ude00 {{x}}']
)
def test_what_it_is_told_arrives_whole(text: str) -> None:
    """Feedback holds any character; none of them ends or changes a setting."""
    told = yaml.safe_load(settings(Path("/w"), text, Model("http://127.0.0.1:1/v1", "a/b", "k")))
    assert told["run"]["task"] == text
    assert told["model"]["model_name"] == "openai/a/b"
    assert yaml.safe_load(to_yaml({text: [1, None, True]})) == {text: [1, None, True]}


def test_a_record_is_read_from_the_engines_own_file_only(tmp_path: Path) -> None:
    """A link, a pipe, somebody else's file and nonsense are no record."""
    record, uid = tmp_path / "record.json", os.getuid()
    assert read_record(record, uid) == {}
    for content in ("[1]", "{", "[" * 100_000):
        record.write_text(content)
        assert read_record(record, uid) == {}
    record.write_text('{"messages": []}')
    assert read_record(record, uid) == {"messages": []}
    assert read_record(record, uid + 1) == {}
    (tmp_path / "link").symlink_to(record)
    assert read_record(tmp_path / "link", uid) == {}
    os.mkfifo(tmp_path / "pipe")
    assert read_record(tmp_path / "pipe", uid) == {}
    assert read_record(tmp_path, uid) == {}


def ending(name: str, said: str = "", submission: str = "") -> dict[str, Any]:
    extra = {"exit_status": name, "submission": submission, "exception_str": said}
    return {"role": "exit", "content": "", "extra": extra}


def talk(words: str, finish: str = "stop") -> dict[str, Any]:
    choice = {"finish_reason": finish, "message": {"content": words, "tool_calls": None}}
    return {"role": "user", "content": "no", "extra": {"response": {"choices": [choice]}}}


DONE = {"role": "assistant", "content": "Done.\n"}
LITELLM = "litellm.{0}: {0}: OpenAIException - "


@pytest.mark.parametrize(
    ("messages", "status", "expected"),
    [
        ([DONE, ending("Submitted")], 0, EngineResult(True, "Done.", "")),
        ([DONE, ending("Submitted", "", "More.\n")], 0, EngineResult(True, "More.", "")),
        ([DONE, ending("Submitted")], 1, (False, "Done.", "ended with exit status 1")),
        ([talk("It is fine. "), ending("RepeatedFormatError")], 0, (True, "It is fine.", "")),
        ([talk("It is", "length"), ending("RepeatedFormatError")], 0, (False, "", "wrongly")),
        ([ending("RateLimitError", LITELLM.format("RateLimitError") + "slow")], 1, "429: slow"),
        ([ending("APIError", LITELLM.format("APIError") + "so")], 1, "The model failed: so"),
        ([ending("OSError", "disk full")], 1, "The engine reported OSError: disk full"),
        ([ending("KeyError")], 1, "The engine reported KeyError: KeyError"),
        ([], -9, "SIGKILL"),
        ("nonsense", 1, "exit status 1"),
        ([1, {"role": "exit", "extra": {"exit_status": ["x"]}}], 1, "exit status 1"),
        ([{"role": "user", "extra": {"response": {"choices": [3]}}}], 0, "exit status 0"),
    ],
)
def test_the_record_becomes_a_result(messages: object, status: int, expected: Any) -> None:
    """Its words are the summary, its errors reasons; nothing in the record breaks the reader."""
    got = result(status, {"messages": messages})
    if isinstance(expected, str):
        expected = (False, "", expected)
    if isinstance(expected, tuple):
        assert (got.ok, got.summary) == expected[:2]
        assert expected[2] in got.reason
    else:
        assert got == expected


def test_the_log_holds_its_steps_and_not_its_task() -> None:
    """Each message is one entry."""
    log = Log(Redactor())
    transcript = Transcript(log)
    lines = ["Starting", "", "System:", "You are", "", "User:", "the task", "─" * 80, ""]
    lines += ["mini-swe-agent (step 1, $0.00):", "I look.", "", "```", "\x1b[1mls\x1b[0m", "```"]
    lines += ["", "Tool:", "<output>", "a", "─" * 80, "Retrying", "", "User:", "Again!"]
    lines += ["Exit:", "over", "Traceback"]
    for line in lines:
        transcript.read(line)
    transcript.end()
    entries = [each[9:] for each in log.text().splitlines() if each[2:3] == ":"]
    assert entries == ["I look.", "<output>", "Retrying", "Again!"]
    assert "ls\n" in log.text()
    assert "the task" not in log.text()


def test_the_log_says_why_it_did_not_start() -> None:
    """Without a message, all that it printed is there."""
    log = Log(Redactor())
    transcript = Transcript(log)
    for line in ("Traceback", "ImportError: no"):
        transcript.read(line)
    transcript.end()
    assert "Traceback\nImportError: no\n" in log.text()
