"""The clustering benchmark's figures are those of the yardstick that comes with the data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.clustering.baselines import average_linkage
from benchmarks.clustering.metrics import mean, metrics, score
from benchmarks.clustering.rows import load
from benchmarks.clustering.vectors import given
from local.parts import ROOT

DATA = Path(os.environ.get("SOULCASTER_DATA", ROOT.parent / "shared/data"))
YARDSTICK = DATA / "score.py"
SET = DATA / "grouping/hint3_sofmattress.jsonl.gz"
there = pytest.mark.skipif(
    not (YARDSTICK.exists() and SET.exists()),
    reason=f"{YARDSTICK} or {SET} is missing; SOULCASTER_DATA names their folder",
)


def yardstick(folder: Path, gold: list[str], pred: list[str]) -> dict[str, float]:
    """What score.py prints about a partition."""
    for name, key, values in (("gold", "label", gold), ("pred", "cluster", pred)):
        lines = (json.dumps({"id": str(i), key: value}) for i, value in enumerate(values))
        (folder / name).write_text("\n".join(lines))
    done = subprocess.run(
        [sys.executable, str(YARDSTICK), str(folder / "pred"), str(folder / "gold")],
        capture_output=True,
        text=True,
        check=True,
    )
    printed: dict[str, float] = json.loads(done.stdout)
    assert printed.pop("missing") == 0
    return printed


def drawn(n: int, groups: int, clusters: int) -> tuple[list[str], list[str]]:
    """Labels and clusters by chance."""
    rng = np.random.default_rng(n)
    gold, pred = rng.integers(0, groups, n), rng.integers(0, clusters, n)
    return [f"g{g}" for g in gold], [f"c{c}" for c in pred]


ALONE = [str(i) for i in range(12)]
PARTITIONS = {
    "by chance": drawn(300, 20, 30),
    "one group": drawn(50, 1, 9),
    "one item": drawn(1, 1, 1),
    "all alone, rightly": (ALONE, ALONE),
    "all alone, wrongly": (["x"] * 12, ALONE),
    "all together": ([*ALONE[:6], *["x"] * 6], ["all"] * 12),
}


@there
@pytest.mark.parametrize("name", PARTITIONS)
def test_partitions_score_as_by_the_yardstick(tmp_path: Path, name: str) -> None:
    """Every key it prints is ours too, with its value, where nothing is divided by as well."""
    gold, pred = PARTITIONS[name]
    assert metrics(gold, pred) == yardstick(tmp_path, gold, pred)


@there
def test_a_real_set_scores_as_by_the_yardstick(tmp_path: Path) -> None:
    """A partition that is neither random nor perfect, of real labels."""
    rows = load(SET)
    vectors = given(SET.with_name("hint3_sofmattress.npy"), len(rows))
    gold = [row.label for row in rows]
    pred = [str(label) for label in average_linkage(vectors)(0.5)]
    assert metrics(gold, pred) == yardstick(tmp_path, gold, pred)


def test_bcubed_and_pairs_by_hand() -> None:
    """Labels a a a b and clusters 1 1 2 2: worked out on paper."""
    found = metrics("aaab", "1122", ami=False)
    # Two items share a cluster of two with all of it, two share half of it.
    assert found["b3_p"] == 0.75
    # Of the three a's two find two of three, one finds itself; b finds all of b.
    assert found["b3_r"] == round((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4, 5)
    # Without b, which is alone in its group.
    assert found["b3m_p"] == round((1 + 1 + 0.5) / 3, 5)
    assert (found["pair_p"], found["pair_r"]) == (0.5, round(1 / 3, 5))
    assert (found["k_gold"], found["k_pred"], found["singletons_gold_pct"]) == (2, 2, 25.0)
    assert "ami" not in found


def test_the_score_is_the_mean_of_three() -> None:
    """V-measure, B-cubed F1 and ARI count the same; other figures do not count."""
    assert score({"v_measure": 0.9, "b3_f1": 0.6, "ari": 0.3, "nmi": 0.0}) == 0.6
    assert score(metrics("aabb", "1122")) == 1.0


def test_means_are_of_each_figure() -> None:
    """Counts become fractions where they differ; the number of items stays one."""
    one, other = metrics("aabb", "1122"), metrics("aabb", "1112")
    found = mean([one, other])
    assert found["n"] == 4
    assert found["ari"] == round((one["ari"] + other["ari"]) / 2, 5)
    assert found["score"] == pytest.approx((score(one) + score(other)) / 2, abs=2e-5)
    assert found["k_pred"] == 2.0


@pytest.mark.parametrize(("gold", "pred"), [("", ""), ("ab", "a")])
def test_what_can_not_be_compared_is_refused(gold: str, pred: str) -> None:
    """No items, or not a cluster for each."""
    with pytest.raises(ValueError, match="clusters for"):
        metrics(gold, pred)
