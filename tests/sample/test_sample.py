"""The demo's sample: a repository with known bugs and the feedback its users gave."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

SAMPLE = Path(__file__).parents[2] / "sample"
BUGS = "abcdef"
REQUIRED = {"id", "title", "text", "source", "created_at", "author", "bug"}
INVENTED_HOST = re.compile(r"(.+\.)?(example|example\.(com|net|org))")
FRAME = re.compile(r'  File "(.+)", line (\d+), in (\w+)\n    (.+)')


class Larder:
    """The command line of a fresh copy of the repository, with data of its own."""

    def __init__(self, folder: Path) -> None:
        self.repository = folder / "repository"
        shutil.copytree(
            SAMPLE / "repository", self.repository, ignore=shutil.ignore_patterns("__pycache__")
        )
        self.file = folder / "larder.json"

    def python(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run Python inside the copy."""
        env = {**os.environ, "LARDER_FILE": str(self.file), "PYTHONUTF8": "1"}
        return subprocess.run(
            [sys.executable, *args],
            cwd=self.repository,
            env=env,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=30,
        )

    def __call__(self, *args: str) -> str:
        """Run one command that must succeed; return what it printed."""
        done = self.python("-m", "larder", *args)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def larder(tmp_path: Path) -> Larder:
    return Larder(tmp_path)


def feedback() -> list[dict[str, Any]]:
    lines = (SAMPLE / "feedback.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def label(item: dict[str, Any]) -> str:
    """Return the item's label with all wishes taken together."""
    return "wish" if item["bug"].startswith("wish-") else str(item["bug"])


def documented_counts() -> dict[str, dict[str, int]]:
    """Read README.md's table of counts: label, then source or "total"."""
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    start = next(i for i, row in enumerate(rows) if row[0] == "label")
    header, body = rows[start], rows[start + 2 :]
    return {row[0]: dict(zip(header[1:], map(int, row[1:]), strict=True)) for row in body}


def test_the_repositorys_own_tests_pass(larder: Larder) -> None:
    """The base is green, so a failing test is the agent's own."""
    done = larder.python("-m", "unittest")
    assert done.returncode == 0, done.stderr
    assert re.search(r"Ran [1-9]\d+ tests", done.stderr)


@pytest.mark.parametrize("name", ["Crème fraîche", "Müsli", "pizza 🍕"])
def test_bug_a_export_crashes_on_names_beyond_ascii(larder: Larder, name: str) -> None:
    """(a) A name with an accent, an umlaut or an emoji ends the CSV export."""
    larder("add", name, "1")
    done = larder.python("-m", "larder", "export", "pantry.csv")
    assert done.returncode == 1
    assert "UnicodeEncodeError" in done.stderr
    assert 'larder/export.py"' in done.stderr


def test_bug_b_what_expires_today_is_called_expired(larder: Larder) -> None:
    """(b) status() counts the printed date itself as expired, against its promise."""
    script = "from datetime import date; from larder.expiry import status; d = date(2026, 3, 14)"
    done = larder.python("-c", f"{script}; print(status(d, d))")
    assert done.stdout == "expired\n"


def test_bug_c_conversion_rounds_small_amounts_away(larder: Larder) -> None:
    """(c) 0.4 kg counts as nothing next to kilograms, and divides by zero in a recipe."""
    larder("add", "flour", "2 kg")
    assert larder("add", "flour", "0.4 kg") == "flour: 2 kg in the cupboard\n"
    larder("recipe", "add", "pancakes", "4", "flour=250 g")
    assert (
        "ZeroDivisionError"
        in larder.python("-m", "larder", "recipe", "servings", "pancakes").stderr
    )


def test_bug_d_remove_ignores_the_filter(larder: Larder) -> None:
    """(d) Number 1 of the filtered list is milk; removing it takes the apples."""
    larder("add", "apples", "6")
    larder("add", "milk", "1 l", "--location", "fridge")
    assert re.search(r"^1  milk", larder("list", "--location", "fridge"), re.MULTILINE)
    assert larder("remove", "1", "--location", "fridge") == "removed apples\n"


def test_bug_e_scaling_twice_compounds(larder: Larder) -> None:
    """(e) Showing a recipe for twice the servings doubles it anew each time."""
    larder("recipe", "add", "pancakes", "4", "flour=250 g")
    show = ("recipe", "show", "pancakes", "--servings", "8")
    assert "500 g" in larder(*show)
    assert "1000 g" in larder(*show)


def test_bug_f_shopping_list_adds_up_different_units(larder: Larder) -> None:
    """(f) 1 kg and 200 g become 201 kg."""
    larder("shop", "add", "flour", "1 kg")
    assert larder("shop", "add", "flour", "200 g") == "to buy: 201 kg flour\n"


def test_the_one_word_fix_of_bug_a(larder: Larder) -> None:
    """Bug (a) has one cause in one short file, and mending it breaks none of the tests."""
    file = larder.repository / "larder" / "export.py"
    source = file.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 60
    assert source.count('encoding="ascii"') == 1
    file.write_text(source.replace('encoding="ascii"', 'encoding="utf-8"'), encoding="utf-8")
    larder("add", "Crème fraîche", "200 ml")
    larder("export", "pantry.csv")
    exported = (larder.repository / "pantry.csv").read_text(encoding="utf-8")
    assert "Crème fraîche,200,ml,cupboard," in exported
    assert larder.python("-m", "unittest").returncode == 0


def test_feedback_is_well_formed() -> None:
    """Every item has the documented fields, an id of its own, and a time in the six weeks."""
    items = feedback()
    assert 190 <= len(items) <= 230
    assert len({item["id"] for item in items}) == len(items)
    for item in items:
        assert set(item) >= REQUIRED, item["id"]
        assert set(item) <= REQUIRED | {"url", "extra"}, item["id"]
        assert item["title"], item["id"]
        assert item["text"], item["id"]
        created = datetime.strptime(item["created_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        assert date(2026, 10, 9) <= created.date() < date(2026, 11, 20), item["id"]
    assert [item["created_at"] for item in items] == sorted(item["created_at"] for item in items)


def test_feedback_counts_are_those_documented() -> None:
    """README.md's table is true, and (a) is the largest group by far."""
    documented = documented_counts()
    counted = Counter((label(item), item["source"]) for item in feedback())
    for name, row in documented.items():
        sources = {source: number for source, number in row.items() if source != "total"}
        assert sum(sources.values()) == row["total"], name
        if name != "total":
            assert sources == {source: counted[name, source] for source in sources}, name
    assert documented["total"]["total"] == counted.total()
    totals = {name: documented[name]["total"] for name in BUGS}
    assert totals.pop("a") >= 1.5 * max(totals.values())


def test_feedback_has_repeats_and_languages() -> None:
    """Grouping meets exact duplicates, other scripts, and the very short and very long."""
    items = feedback()
    same = Counter((item["title"], item["text"]) for item in items)
    assert sum(number > 1 for number in same.values()) >= 4
    text = "".join(item["text"] for item in items)
    assert re.search("[\u3040-\u30ff]", text)
    assert re.search("[\u0600-\u06ff]", text)
    lengths = [len(item["text"]) for item in items]
    assert min(lengths) < 10
    assert max(lengths) > 8_000


def test_stack_traces_point_at_the_real_source() -> None:
    """Each frame's line in the repository is the line that the event quotes."""
    events = [item for item in feedback() if item["source"] == "sentry"]
    assert len(events) >= 12
    for event in events:
        quoted = FRAME.findall(event["text"])
        assert len(quoted) == len(event["extra"]["frames"]) > 0, event["id"]
        for (path, line, function, code), frame in zip(
            quoted, event["extra"]["frames"], strict=True
        ):
            source = (SAMPLE / "repository" / path).read_text(encoding="utf-8").splitlines()
            assert source[int(line) - 1].strip() == code, event["id"]
            assert f"def {function}(" in "\n".join(source), event["id"]
            shown = [frame[key] for key in ("filename", "lineno", "function", "context_line")]
            assert shown == [path, int(line), function, code], event["id"]


def test_no_address_is_anybodys() -> None:
    """All hosts in links and mail addresses are reserved for examples (RFC 2606)."""
    text = (SAMPLE / "feedback.jsonl").read_text(encoding="utf-8")
    hosts = re.findall(r"https?://([\w.-]+)", text)
    hosts += re.findall(r"[\w.+-]+@((?:[\w-]+\.)+[a-z]{2,})\b", text)
    assert len(hosts) > 150
    assert [host for host in hosts if not INVENTED_HOST.fullmatch(host)] == []


def test_hidden_characters_are_visible_in_the_file() -> None:
    """Zero-width and bidirectional controls are there, written as JSON escapes."""
    raw = (SAMPLE / "feedback.jsonl").read_text(encoding="utf-8")
    hidden = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069]")
    assert not hidden.search(raw)
    hostile = [item for item in feedback() if item["bug"] == "hostile"]
    assert sum(bool(hidden.search(item["title"] + item["text"])) for item in hostile) >= 2
