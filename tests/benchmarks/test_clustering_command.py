"""The clustering benchmark's command, and what it makes of results."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.clustering import measure
from benchmarks.clustering.__main__ import main
from benchmarks.clustering.rows import Row
from benchmarks.clustering.stream import Lenses, Streamed
from local.parts import ROOT

DATA = Path(os.environ.get("SOULCASTER_DATA", ROOT.parent / "shared/data")) / "grouping"
SET = DATA / "hint3_sofmattress.jsonl.gz"
SCORES = {
    *("n", "k_gold", "k_pred", "singletons_gold_pct", "singletons_pred_pct", "largest_pred_pct"),
    *("v_measure", "homogeneity", "completeness", "nmi", "ari", "ami"),
    *("b3_p", "b3_r", "b3_f1", "b3m_p", "b3m_r", "b3m_f1", "pair_p", "pair_r", "pair_f1"),
    *("score", "order_agreement"),
}
COSTS = {
    *("assign_cpu_seconds", "rebalance_cpu_seconds", "index_cpu_seconds", "peak_memory_mb"),
    "changes_per_item",
}
ABOUT = {"data", "kind", "seeds", "batch", "order", "embedder", "assign_only"}
TEXTS = [
    *("The app crashes when I upload a photo", "Uploading a picture makes the app crash"),
    *("It crashed while I uploaded a photo", "Please add a dark theme", "A dark theme, please"),
]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Five rows of two groups, with the vectors of their groups beside them."""
    file = tmp_path / "small.jsonl"
    labels = ["crash"] * 3 + ["dark"] * 2
    rows = [
        {"id": n, "text": text, "label": label, "kind": "feedback"}
        for n, (text, label) in enumerate(zip(TEXTS, labels, strict=True))
    ]
    file.write_text("\n".join(json.dumps(row) for row in rows))
    vectors = np.zeros((5, 384), np.float16)
    vectors[:3, 0] = vectors[3:, 1] = 2
    np.save(tmp_path / "small.npy", vectors)
    return file


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """The one line that the command prints."""
    assert main([*map(str, arguments), "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_has_every_figure(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scores, costs, the same without rebalance, the baselines, and what was measured."""
    vectors = small.with_suffix(".npy")
    line = printed(
        capsys, "--data", small, "--embeddings", vectors, "--seeds", 3, "--batch", 2, "--baselines"
    )
    assert set(line) == SCORES | COSTS | ABOUT | {"baselines"}
    assert set(line["assign_only"]) == SCORES | {"assign_cpu_seconds"}
    for name, figures in line["baselines"].items():
        parameter = "min_cluster_size" if name == "hdbscan" else "threshold"
        assert set(figures) == SCORES | {parameter, "chosen_with_labels", "cpu_seconds"}
    told = ("data", "embedder", "kind", "order", "seeds", "batch", "n")
    assert [line[name] for name in told] == [
        *("small.jsonl", "small.npy", "feedback", "random", 3, 2, 5)
    ]
    assert line["peak_memory_mb"] > 1


def test_the_page_explains_every_key(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """docs/benchmarks.md names each key of the line, and of the baselines in it."""
    line = printed(
        capsys, "--data", small, "--embeddings", small.with_suffix(".npy"), "--baselines"
    )
    page = (ROOT / "docs/benchmarks.md").read_text()
    keys = {*line, *line["baselines"]} | {k for v in line["baselines"].values() for k in v}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []


def test_the_module_runs_in_a_clean_process(small: Path) -> None:
    """As the documentation says: no PYTHONPATH, and the local embedder where no file is given."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.clustering", "--data", small, "--seeds", "1", "--json"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert found["embedder"] == "all-minilm-l6-v2"
    assert set(found) == SCORES | COSTS | ABOUT


def test_time_order_is_one_order(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However many seeds are asked for; so all orders agree."""
    line = printed(
        capsys,
        *("--data", small, "--embeddings", small.with_suffix(".npy")),
        *("--order", "time", "--seeds", 4),
    )
    assert (line["order"], line["seeds"], line["order_agreement"]) == ("time", 1, 1.0)


@pytest.mark.skipif(not SET.exists(), reason=f"{SET} is missing; SOULCASTER_DATA names its folder")
def test_a_real_set_gives_the_same_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but time and memory differs between runs."""
    given = ("--data", SET, "--embeddings", SET.with_name("hint3_sofmattress.npy"), "--seeds", 2)
    one, other = printed(capsys, *given), printed(capsys, *given)
    differing = {"assign_cpu_seconds", "rebalance_cpu_seconds", "index_cpu_seconds"}
    for line in (one, other):
        del line["peak_memory_mb"], line["assign_only"]["assign_cpu_seconds"]
        for name in differing:
            del line[name]
    assert one == other
    assert (one["n"], one["k_gold"], one["kind"]) == (571, 21.0, "feedback")


def test_figures_are_means_over_the_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters go back to their rows; changes are per item; rebalance is off in the second run."""
    rows = [
        Row(str(n), label, "standard", "email", "", "t", "t", 0) for n, label in enumerate("aabb")
    ]

    def streamed(
        items: Sequence[Row],
        vectors: Any,
        *,
        batch: int,
        rebalance: bool = True,
        model: str,
        lenses_: Lenses | None,
    ) -> Streamed:
        """Perfect with rebalance, everything alone without; a row's vector holds its number."""
        assert [int(row.id) for row in items] == vectors[:, 0].astype(int).tolist()
        assert (batch, model, lenses_) == (3, "some-model", None)
        labels = [row.label if rebalance else row.id for row in items]
        first = items[0].id == "0"
        return Streamed(labels, 6 if first else 0, 1.0 if first else 2.0, 4.0, 0.5)

    monkeypatch.setattr(measure, "stream", streamed)
    vectors = np.arange(4, dtype=np.float32)[:, None]
    orders = [[0, 1, 2, 3], [3, 1, 0, 2]]
    line = measure.measured(rows, vectors, orders, batch=3, against=False, model="some-model")
    assert (line["score"], line["k_pred"], line["order_agreement"]) == (1.0, 2.0, 1.0)
    assert line["changes_per_item"] == (6 / 4 + 0) / 2
    assert (line["assign_cpu_seconds"], line["rebalance_cpu_seconds"]) == (1.5, 4.0)
    assert line["assign_only"]["k_pred"] == 4.0
    assert line["assign_only"]["ari"] == 0.0
    assert "baselines" not in line


def test_bad_input_is_one_line(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2 and what is wrong: files that are missing, broken or of another set."""
    zeros, short, text = (tmp_path / name for name in ("zeros.npy", "short.npy", "text.npy"))
    np.save(zeros, np.zeros((5, 384), np.float32))
    np.save(short, np.ones((4, 384), np.float32))
    text.write_text("not an array")
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"id": 1, "text": "a"}')
    for arguments, said in (
        (["--data", tmp_path / "none.jsonl"], "none.jsonl"),
        (["--data", broken], "row 1 has no label"),
        (["--data", small, "--embeddings", tmp_path / "none.npy"], "none.npy"),
        (["--data", small, "--embeddings", text], "text.npy is not an array"),
        (["--data", small, "--embeddings", short], "short.npy has 4 vectors for 5 rows"),
        (["--data", small, "--embeddings", zeros], "zeros.npy has vectors without a direction"),
        (["--data", small, "--seeds", "0"], "'0' is not a number above 0"),
    ):
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments), "--json"])
        assert ended.value.code == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert said in shown.err.splitlines()[-1]
