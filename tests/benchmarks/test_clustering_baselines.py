"""The baselines group as they say, and each gets its best parameter."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.clustering.baselines import (
    ALL,
    THRESHOLDS,
    average_linkage,
    condensed,
    hdbscan,
    nearest_centroid,
    nearest_neighbour,
    run_all,
)
from benchmarks.clustering.metrics import metrics, score


def at(*degrees: float) -> NDArray[np.float32]:
    """Directions in the plane: the cosine of two is that of the angle between them."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def cosine(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))


def groups(labels: NDArray[np.int64]) -> list[set[int]]:
    """Positions that share a label, in order of the first of each."""
    return [set(np.flatnonzero(labels == label)) for label in dict.fromkeys(labels.tolist())]


def test_the_nearest_neighbour_chains() -> None:
    """Each step is small, so all of a chain is one; a step too wide opens the next."""
    cut = nearest_neighbour(at(0, 20, 40, 60, 100))
    assert groups(cut(cosine(25))) == [{0, 1, 2, 3}, {4}]
    assert groups(cut(cosine(15))) == [{0}, {1}, {2}, {3}, {4}]


def test_the_nearest_centroid_does_not_chain() -> None:
    """The third is 30 degrees from the middle of the first two, which is too far."""
    cut = nearest_centroid(at(0, 20, 40, 45))
    assert groups(cut(cosine(25))) == [{0, 1}, {2, 3}]
    assert groups(cut(cosine(35))) == [{0, 1, 2, 3}]


def test_average_linkage_sees_all_items() -> None:
    """The two nearest join first, whichever came first."""
    cut = average_linkage(at(0, 24, 40))
    assert groups(cut(cosine(20))) == [{0}, {1, 2}]


def test_hdbscan_leaves_noise_alone() -> None:
    """What is in no dense place is not one big cluster."""
    cut = hdbscan(at(0, 1, 2, 3, 90, 91, 92, 93, 180, 250))
    found = groups(cut(3))
    assert found[:2] == [{0, 1, 2, 3}, {4, 5, 6, 7}]
    assert found[2:] == [{8}, {9}]


@pytest.mark.parametrize("baseline", ALL, ids=lambda one: one.name)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_tiny_sets_are_grouped(baseline: object, n: int) -> None:
    """There is a label for each item, however few there are."""
    (found,) = (one for one in ALL if one is baseline)
    cut = found.prepare(at(*range(0, 90 * n, 90)))
    for value in found.values:
        assert len(cut(value)) == n


def test_distances_are_cosine_distances() -> None:
    """In the order of pairs that scipy takes."""
    found = condensed(at(0, 60, 90))
    assert found == pytest.approx([1 - cosine(60), 1 - cosine(90), 1 - cosine(30)], abs=1e-6)


def test_each_baseline_gets_its_best_threshold() -> None:
    """No value of the grid scores better over the orders than the one that is reported."""
    rng = np.random.default_rng(1)
    centres = np.repeat(rng.standard_normal((8, 16)), 6, axis=0)
    vectors = (centres + 0.6 * rng.standard_normal(centres.shape)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gold = [str(i // 6) for i in range(48)]
    orders = [rng.permutation(48).tolist() for _ in range(3)]
    found = run_all(gold, vectors, orders)
    assert set(found) == {"nearest_neighbour", "nearest_centroid", "average_linkage", "hdbscan"}
    for name, figures in found.items():
        assert figures["chosen_with_labels"] is True, name
        assert figures["cpu_seconds"] >= 0, name
        assert {"ari", "ami", "score", "n", "order_agreement"} <= set(figures), name
    linkage = average_linkage(vectors)
    best = max(score(metrics(gold, linkage(t).tolist(), ami=False)) for t in THRESHOLDS)
    assert found["average_linkage"]["score"] == best
    threshold = found["nearest_neighbour"]["threshold"]
    scores = {
        t: sum(score(metrics([gold[i] for i in order], cut(t).tolist())) for order, cut in cuts)
        for cuts in [[(order, nearest_neighbour(vectors[order])) for order in orders]]
        for t in THRESHOLDS
    }
    assert scores[threshold] == max(scores.values())
    assert found["nearest_neighbour"]["score"] == pytest.approx(scores[threshold] / 3, abs=2e-5)
