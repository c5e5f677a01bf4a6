"""The engine's own words become a log and a result."""

import json

import pytest

from soulcaster_agent.engine import EngineResult
from soulcaster_agent.kilo_events import Events
from soulcaster_agent.log import Log
from soulcaster_agent.redact import Redactor


def events(*lines: object) -> tuple[Events, Log]:
    log = Log(Redactor())
    reader = Events(log)
    for line in lines:
        reader.read(line if isinstance(line, str) else json.dumps(line))
    return reader, log


def text(words: str) -> dict[str, object]:
    return {"type": "text", "part": {"text": words}}


def error(message: str, status: int) -> dict[str, object]:
    data = {"message": message, "statusCode": status}
    return {"type": "error", "error": {"name": "APIError", "data": data}}


def test_the_last_text_is_the_summary() -> None:
    """What the engine said on its way is in the log, its last word in the result."""
    reader, log = events(text("I look."), text("I fixed it.\n"))
    assert reader.result(0) == EngineResult(True, "I fixed it.", "")
    assert "I look." in log.text()


def test_the_models_error_is_the_reason() -> None:
    """People read what the model's server said, with its status."""
    reader, _ = events(error("no model is configured", 401))
    assert reader.result(1).reason == "The model answered 401: no model is configured"


def test_an_error_that_was_overcome_is_no_failure() -> None:
    """Only an error that ended the run counts."""
    reader, log = events(error("busy", 503), text("Done."))
    assert reader.result(0).ok
    assert "busy" in log.text()


@pytest.mark.parametrize(
    ("status", "words"), [(3, "exit status 3"), (-9, "SIGKILL"), (-11, "SEGV")]
)
def test_an_end_without_a_word_is_described(status: int, words: str) -> None:
    """A crash has a reason, too."""
    assert words in events()[0].result(status).reason


def test_tools_are_logged_with_what_was_asked_and_what_came() -> None:
    """The log shows the command and its output."""
    state = {"input": {"command": "python3 -m unittest"}, "output": "FAILED"}
    _, log = events({"type": "tool_use", "part": {"tool": "bash", "state": state}})
    assert "[bash] python3 -m unittest\nFAILED" in log.text()


@pytest.mark.parametrize(
    "line",
    [
        "[1]",
        "nonsense {",
        '{"type": "text"}',
        '{"type": "text", "part": 1}',
        '{"type": "tool_use", "part": {"state": []}}',
        '{"type": "error", "error": "x"}',
        '{"type": {}}',
        "[" * 100_000,
    ],
)
def test_no_line_breaks_the_reader(line: str) -> None:
    """Whatever is printed, reading goes on."""
    reader, log = events(line, text("still here"))
    assert "still here" in log.text()
    assert reader.result(0).ok


def test_colours_are_left_out_of_the_log() -> None:
    """Error lines meant for a terminal are readable."""
    assert "Error: no" in events("\x1b[91m\x1b[1mError: \x1b[0mno")[1].text()
