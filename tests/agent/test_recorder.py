"""A log that is cut says how it began and how it ended, and shows no half of a secret."""

import re

from hypothesis import given
from hypothesis import strategies as st

from soulcaster_agent.recorder import CUT, MOST_CHARACTERS, Recorder
from soulcaster_agent.redact import Redactor

SECRET = "opaque-token-1f2e3d"


def recorded(lines: list[str]) -> str:
    recorder = Recorder(Redactor([SECRET]))
    for line in lines:
        recorder.add(line)
    return recorder.text()


def test_a_short_output_is_kept_as_it_is() -> None:
    """Line by line."""
    assert recorded(["$ make test", "", "ok"]) == "$ make test\n\nok"


def test_a_long_output_loses_its_middle_once() -> None:
    """In whole lines, and it says where."""
    lines = [f"line {n}" for n in range(20_000)]
    text = recorded(lines)
    start, end = text.split(CUT)
    assert len(text) > MOST_CHARACTERS * 0.9
    assert lines[: start.count("\n") + 1] == start.splitlines()
    assert lines[-end.count("\n") - 1 :] == end.splitlines()


@given(st.lists(st.integers(0, 3 * MOST_CHARACTERS), max_size=8))
def test_no_part_of_a_secret_stays_at_a_cut(sizes: list[int]) -> None:
    """Wherever lines and cuts fall, a secret is there as what hides it or not at all."""
    text = recorded([f"{'x' * size}{SECRET}{'y' * size}" for size in sizes])
    assert len(text) <= MOST_CHARACTERS
    assert [n for n in range(len(SECRET) - 3) if SECRET[n : n + 4] in text] == []


def test_a_pattern_is_seen_where_it_is_not_kept() -> None:
    """What the middle said is remembered."""
    ran, other = re.compile("^ran 3$"), re.compile("never")
    recorder = Recorder(Redactor(), ran, None, other)
    for line in ["x" * 1_000] * 50 + ["ran 3"] + ["x" * 1_000] * 50:
        recorder.add(line)
    assert "ran 3" not in recorder.text()
    assert recorder.saw(ran)
    assert not recorder.saw(other)
    assert not recorder.saw(None)
