"""The made-up set that cost is measured with, and the figures of that."""

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from benchmarks.clustering.cost import Sizes, costs
from benchmarks.clustering.synthetic import LARGEST_GROUP, made
from local.parts import ROOT
from soulcaster.rules.text_kind import kind_of


def test_most_groups_are_small_and_some_are_not() -> None:
    """More than half hold one item, none is beyond the bound, and a fifth of all is in large ones.

    Otherwise nothing would have to be rebalanced, or everything.
    """
    rows, vectors = made(5_000)
    assert vectors.shape == (5_000, 384)
    assert len({row.id for row in rows}) == len(rows) == 5_000
    sizes = Counter(row.label for row in rows)
    assert max(sizes.values()) <= LARGEST_GROUP
    assert sum(size == 1 for size in sizes.values()) > len(sizes) / 2
    assert sum(size for size in sizes.values() if size >= 20) > 1_000


def test_groups_are_near_and_have_near_neighbours() -> None:
    """Unit vectors: 0.8 within a group, and others of the topic between that and nothing."""
    rows, vectors = made(2_000)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cosines = vectors @ vectors.T
    labels = np.array([row.label for row in rows])
    same = labels[:, None] == labels
    np.fill_diagonal(cosines, np.nan)
    assert np.nanmean(cosines[same]) == pytest.approx(0.8, abs=0.02)
    others = np.where(same, np.nan, cosines)
    assert np.nanmax(others, axis=1).mean() > 0.3
    assert np.nanmax(others) < 0.6


def test_texts_are_of_their_groups_words() -> None:
    """Two of a group share more words than two of others; all kinds of text are there."""
    rows, _ = made(1_000)
    words = [set(row.text.split()) for row in rows]
    by_group: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        by_group.setdefault(row.label, []).append(i)
    pairs = [members[:2] for members in by_group.values() if len(members) > 1]
    within = [len(words[one] & words[other]) for one, other in pairs]
    across = [len(words[i] & words[i + 1]) for i in range(0, 998, 2)]
    assert np.mean(within) > 3
    assert np.mean(across) < 1
    assert {kind_of(row.source, row.channel, row.text) for row in rows} == {
        "short",
        "report",
        "error",
    }


def test_the_same_set_is_made_again() -> None:
    """From its size and seed, in any process; another seed makes another."""
    rows, vectors = made(200, seed=3)
    again, same = made(200, seed=3)
    assert rows == again
    assert np.array_equal(vectors, same)
    assert made(200, seed=4)[0] != rows


def test_costs_have_every_figure() -> None:
    """The marginal cost beside few and many, memory, and the whole beside average linkage."""
    found = costs(Sizes(few=60, many=200, following=40, linkage=150, batch=20))
    assert set(found) == {
        *("batch", "few", "many", "ratio", "peak_memory_mb", "against_average_linkage")
    }
    assert (found["few"]["streamed"], found["many"]["streamed"]) == (60, 200)
    for one in (found["few"], found["many"]):
        assert one["following"] == 40
        assert one["cpu_ms_per_item"] > 0
        total = one["assign_cpu_seconds"] + one["rebalance_cpu_seconds"]
        assert one["cpu_ms_per_item"] == pytest.approx(1000 * total / 40, abs=0.01)
    linkage = found["against_average_linkage"]
    assert linkage["n"] == 150
    assert linkage["ratio"] <= linkage["ratio_to_tree"]


def test_the_page_explains_every_figure_of_cost() -> None:
    """docs/benchmarks.md names each key."""
    found = costs(Sizes(few=20, many=40, following=20, linkage=40, batch=20))
    page = (ROOT / "docs/benchmarks.md").read_text()
    keys = {*found, *found["few"], *found["against_average_linkage"]}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []


def test_the_command_is_there() -> None:
    """It starts without PYTHONPATH; the measurement itself takes minutes."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.clustering.cost", "--help"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--json" in done.stdout
