"""The demo on a file of feedback: one of somebody's own, and broken ones."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from local.cloud import Cloud
from local.demo.command import run
from local.demo.feedback_file import read
from local.parts import ROOT
from tests.loop.clouds import client, started

DATA = Path(os.environ.get("SOULCASTER_DATA", ROOT.parent / "shared/data")) / "grouping"
SET = DATA / "hint3_sofmattress.jsonl.gz"


@pytest.mark.timeout(300)
@pytest.mark.skipif(not SET.exists(), reason=f"{SET} is missing; SOULCASTER_DATA names its folder")
def test_a_file_of_real_texts_gets_in_whole(tmp_path: Path) -> None:
    """Every row is accepted, stored and clustered."""
    rows = len(gzip.decompress(SET.read_bytes()).splitlines())
    with started("local.demo", tmp_path / "state", "--exit", "--feedback", SET) as demo:
        assert demo.ended(240) == 0, demo.printed
        for name in ("sent", "accepted", "stored", "clustered"):
            assert f"  {name:<10} {rows:>6}" in demo.printed


TRACE = "OSError: no space\n  at larder.Disk.write(Disk.java:7)"
ROWS: tuple[tuple[dict[str, Any], tuple[str, str, str]], ...] = (
    ({"source": "sentry", "text": TRACE}, ("sentry", "OSError: no space", TRACE)),
    (
        {"source": "sentry", "title": "Boom", "extra": {"exception": {"type": "E", "value": "v"}}},
        ("sentry", "Boom", "E: v"),
    ),
    (
        {"source": "github", "title": "Export stops", "text": "After a row."},
        ("github", "Export stops", "After a row."),
    ),
    ({"source": "jira", "title": "Undo", "text": "None."}, ("standard", "Undo", "None.")),
    ({"text": "No dark mode"}, ("standard", "No dark mode", "No dark mode")),
)


@pytest.mark.timeout(300)
def test_rows_get_in_by_the_ways_of_their_sources(tmp_path: Path) -> None:
    """Sentry's and GitHub's as theirs, with what they say; everything else by Standard Webhooks."""
    file = tmp_path / "mixed.jsonl"
    rows = [{"id": n, **row} for n, (row, _) in enumerate(ROWS)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    state = tmp_path / "state"
    with started("local.demo", state, "--exit", "--feedback", file) as demo:
        assert demo.ended(240) == 0, demo.printed
    with Cloud(state, {}, schedules=False), client(state) as api:
        page = api.get("/feedback", params={"project": "mixed"}).raise_for_status().json()
    found = [(item["source"], item["title"], item["body"]) for item in page["items"]]
    assert sorted(found) == sorted(expected for _, expected in ROWS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"id": 1, "text": "a"}\n\nnot json\n', "line 3 is not JSON"),
        (b'{"id": 1, "text": "a"}\n{"text": "b"}\n', "line 2 has no id"),
        (b'{"id": 1, "text": "a"}\n{"id": 2}\n{"id": "1"}\n', "line 3 has the id of line 1, '1'"),
        (b"[]\n", "line 1 is not a JSON object"),
        (b'{"id": "\xff"}\n', "line 1 is not UTF-8"),
        (b"\n", "holds no feedback"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    """The error is one line with the file and the number of the line."""
    file = tmp_path / "broken.jsonl"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=said) as caught:
        read(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.jsonl", "text.jsonl.gz", "."])
def test_a_file_that_can_not_be_read_starts_nothing(tmp_path: Path, name: str) -> None:
    """An OSError before there is a state folder."""
    (tmp_path / "text.jsonl.gz").write_text("not gzip")
    with pytest.raises(OSError, match=r"\S"):
        run(tmp_path / name, tmp_path / "state", end=True)
    assert not (tmp_path / "state").exists()


def test_the_command_says_it_in_one_line(tmp_path: Path) -> None:
    """Exit status 1, one line, no traceback."""
    file = tmp_path / "broken.jsonl"
    file.write_text('{"id": 1}\n{"id":\n')
    with started("local.demo", tmp_path / "state", "--exit", "--feedback", file) as demo:
        assert demo.ended() == 1
    assert demo.printed.startswith(f"demo: {file}: line 2 is not JSON: ")
    assert demo.printed.count("\n") == 1
