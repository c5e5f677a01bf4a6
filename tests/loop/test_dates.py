"""Dates in a file of feedback, as exports write them."""

import json
from pathlib import Path

import pytest

from local.demo.feedback_file import read


def row(folder: Path, created_at: object) -> Path:
    file = folder / "feedback.jsonl"
    file.write_text(json.dumps({"id": "1", "title": "t", "created_at": created_at}) + "\n")
    return file


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        ("2016-04-07T00:50:32.000+0000", "2016-04-07T00:50:32.000+0000"),
        ("07/Feb/24 05:11", "2024-02-07T05:11:00"),
        (1_700_000_000, 1_700_000_000),
        (None, None),
        ("", None),
    ],
)
def test_a_date_is_understood(tmp_path: Path, written: object, read_as: object) -> None:
    """What is ISO 8601 stays; what is another date becomes it; none is none."""
    assert read(row(tmp_path, written))[0]["created_at"] == read_as


def test_what_is_no_date_names_its_line(tmp_path: Path) -> None:
    """A value that is no time is an error before anything is sent."""
    with pytest.raises(ValueError, match="line 1: created_at is no time: 'soon'"):
        read(row(tmp_path, "soon"))
