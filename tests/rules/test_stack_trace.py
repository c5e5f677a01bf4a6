"""What is told to be a stack trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.stack_trace import frames, mostly_trace, raised
from tests.rules.traces import TRACES

PROSE = (
    "The export stops at the last row (see the screenshot).\nat 12:30 it worked\nat home (12:30)",
    "#1 the app crashes\n#2 nothing is saved\n#3 support does not answer",
    "Error: it says so when I save.\nThen nothing.\nPlease help.\nThanks",
    "1. open the pantry\n2. press save\n3. see http://larder.example:80/save",
    "",
)


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_is_one(name: str) -> None:
    """The traces of the common runtimes are told, and most of their lines are frames."""
    assert mostly_trace(TRACES[name])
    assert len(frames(TRACES[name])) >= 2


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_quoted_in_a_long_report_does_not_make_it_one(name: str) -> None:
    """What people wrote around it is more."""
    said = "\n".join(f"This is what I did, step {n}." for n in range(12))
    assert not mostly_trace(f"{said}\n{TRACES[name]}\n{said}")


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_none(text: str) -> None:
    """People count, say when and where, and mention errors."""
    assert not mostly_trace(text)
    assert frames(text) == []


def test_frames_are_told_from_what_is_around_them() -> None:
    """In their order, without messages and without quoted code."""
    assert [line.strip() for line in frames(TRACES["python"])] == [
        'File "larder/cli.py", line 99, in main',
        'File "larder/storage.py", line 40, in load',
    ]
    assert len(frames(TRACES["java"])) == 4
    assert len(frames(TRACES["go"])) == 4


def test_types_are_read_with_what_they_wrap() -> None:
    """Causes and wrapped ones too; a word in a message is none."""
    assert raised(TRACES["java"]) == ["java.io.IOException", "java.lang.IllegalStateException"]
    assert raised(TRACES["python"]) == ["KeyError"]
    assert raised("a.RemoteException: java.io.EOFException: TimeoutError was not it") == [
        "a.RemoteException",
        "java.io.EOFException",
    ]
    assert raised("Uncaught TypeError: x is undefined") == ["TypeError"]
    assert raised("The error: IOException") == []


@given(st.text(alphabet="at.(:)#10xE/ \n", max_size=600))
def test_any_text_is_read(text: str) -> None:
    """Nothing that looks a little like a trace breaks it."""
    assert len(frames(text)) <= text.count("\n") + 1
    assert mostly_trace(text) in (True, False)
    assert isinstance(raised(text), list)
