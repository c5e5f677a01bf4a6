"""The texts that embedding models are calibrated with."""

import json
import re
from collections import Counter

import numpy as np
import pytest

from scripts import background
from scripts.background import TEXTS
from scripts.calibrate import samples
from soulcaster.rules.grouping.lens import KINDS
from soulcaster.rules.grouping.marks import marks
from soulcaster.rules.text_kind import Kind, kind_of


def test_the_committed_texts_are_what_the_generator_makes() -> None:
    """On every machine; who changes a part must write the texts anew."""
    assert TEXTS.read_text("utf-8").splitlines() == list(background.lines())


def test_a_difference_is_named(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The check fails on what differs, and passes on what was just written."""
    file = tmp_path_factory.mktemp("texts") / "texts.jsonl"
    monkeypatch.setattr(background, "TEXTS", file)
    monkeypatch.setattr("sys.argv", ["background.py", "--check"])
    assert background.main() == 1
    assert "run scripts/background.py" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["background.py"])
    assert background.main() == 0
    monkeypatch.setattr("sys.argv", ["background.py", "--check"])
    assert background.main() == 0
    file.write_text(file.read_text("utf-8").replace("alarm", "clock"), "utf-8")
    assert background.main() == 1


def test_there_are_enough_of_each_kind_and_no_labels() -> None:
    """More than 200 of each kind, all different, in less than 300 kB."""
    rows = [json.loads(line) for line in TEXTS.read_text("utf-8").splitlines()]
    assert {tuple(row) for row in rows} == {("kind", "title", "text")}
    counts = Counter(row["kind"] for row in rows)
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 200
    assert len({row["text"] for row in rows}) == len(rows)
    assert not [row for row in rows if re.search(r"\{\w+\}", row["title"] + row["text"])]
    assert TEXTS.stat().st_size < 300_000


def test_they_are_the_kind_that_they_say() -> None:
    """What is said to be a trace is taken for one, whoever sends it; log lines by their channel."""
    for sample in samples():
        source = {"short": "reddit", "report": "github", "error": "standard"}[sample.kind]
        channel = "" if sample.body.count("\n") > 2 else "server logs"
        assert kind_of(source, channel, sample.text) == sample.kind, sample.text


@pytest.mark.parametrize("kind", KINDS)
def test_hardly_two_are_about_the_same(kind: Kind) -> None:
    """Nearly all pairs share few words, and few texts have one that is much like them."""
    found = [one for one in samples() if one.kind == kind]
    rows = np.array([marks(one.title, one.text, kind) for one in found])
    alike = rows @ rows.T
    pairs = alike[np.triu_indices(len(rows), 1)]
    np.fill_diagonal(alike, 0)
    assert np.quantile(pairs, 0.5) < 0.15
    assert np.quantile(pairs, 0.95) < 0.5
    assert np.quantile(alike.max(axis=1), 0.95) < 0.8
