"""Simple ways to group the same vectors, each given its best parameter.

A baseline's one parameter is chosen by ``score`` on the very set that it is scored on, labels
in hand. That is an advantage that the product does not have.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.cluster import HDBSCAN

from benchmarks.clustering.metrics import mean, metrics, score
from benchmarks.clustering.orders import Order, agreement, back

THRESHOLDS = tuple(round(0.30 + 0.02 * step, 2) for step in range(35))
MIN_CLUSTER_SIZES = (2, 3, 5, 10)

type Vectors = NDArray[np.float32]  # [n, d], unit length, in the order of arrival
type Labels = NDArray[np.int64]  # [n]
type Cut = Callable[[float], Labels]


@dataclass(frozen=True, slots=True)
class Baseline:
    """``prepare`` does what does not depend on the parameter; what it returns does the rest."""

    name: str
    prepare: Callable[[Vectors], Cut]
    parameter: str
    values: Sequence[float]
    streams: bool  # sees an item at a time, and so depends on their order


def run_all(gold: Sequence[str], vectors: Vectors, orders: Sequence[Order]) -> dict[str, Any]:
    """The figures of each baseline, by name; those that see everything at once run once."""
    whole = [list(range(len(gold)))]
    return {one.name: _run(one, gold, vectors, orders if one.streams else whole) for one in ALL}


def _run(
    one: Baseline, gold: Sequence[str], vectors: Vectors, orders: Sequence[Order]
) -> dict[str, Any]:
    """Scores at the best value; CPU seconds are of one run at that value, without the scan."""
    found: dict[float, list[list[int]]] = {value: [] for value in one.values}
    seconds = dict.fromkeys(one.values, 0.0)
    for order in orders:
        arrived = vectors[order]
        start = time.process_time()
        cut = one.prepare(arrived)
        prepared = time.process_time() - start
        for value in one.values:
            start = time.process_time()
            labels = cut(value)
            seconds[value] += prepared + time.process_time() - start
            found[value].append(back(order, labels.tolist()))
    scores = {
        value: sum(score(metrics(gold, labels, ami=False)) for labels in partitions)
        for value, partitions in found.items()
    }
    best = max(one.values, key=scores.__getitem__)
    return {
        one.parameter: best,
        "chosen_with_labels": True,
        "cpu_seconds": round(seconds[best] / len(orders), 4),
        "order_agreement": agreement(found[best]),
        **mean([metrics(gold, labels) for labels in found[best]]),
    }


def nearest_neighbour(vectors: Vectors) -> Cut:
    """An item joins its nearest earlier item's cluster when their cosine is high enough."""
    n = len(vectors)
    cosines = vectors @ vectors.T
    cosines[~np.tri(n, k=-1, dtype=bool)] = -2  # only earlier items count
    nearest = np.argmax(cosines, axis=1)
    cosine = cosines[np.arange(n), nearest]

    def cut(threshold: float) -> Labels:
        labels = np.arange(n)
        for i in range(1, n):
            if cosine[i] >= threshold:
                labels[i] = labels[nearest[i]]
        return labels

    return cut


def nearest_centroid(vectors: Vectors) -> Cut:
    """An item joins the cluster whose mean is nearest when that cosine is high enough."""
    n = len(vectors)
    gram = vectors @ vectors.T

    def cut(threshold: float) -> Labels:
        labels = np.zeros(n, np.int64)
        squares = np.zeros(n)  # squared length of each cluster's sum
        count = 0
        for i in range(n):
            # An item's product with a sum is the sum of its products with the members.
            products = np.bincount(labels[:i], weights=gram[i, :i], minlength=count)
            cosines = products / np.sqrt(squares[:count])
            best = int(np.argmax(cosines)) if count else -1
            if best < 0 or cosines[best] < threshold:
                labels[i], squares[count] = count, gram[i, i]
                count += 1
            else:
                labels[i] = best
                squares[best] += 2 * products[best] + gram[i, i]
        return labels

    return cut


def average_linkage(vectors: Vectors) -> Cut:
    """Agglomerative clustering of all items, cut at one height."""
    if len(vectors) < 2:
        return lambda _: np.zeros(len(vectors), np.int64)
    tree = linkage(condensed(vectors), "average")

    def cut(threshold: float) -> Labels:
        labels: Labels = fcluster(tree, 1 - threshold, "distance").astype(np.int64)
        return labels

    return cut


def hdbscan(vectors: Vectors) -> Cut:
    """HDBSCAN over cosine distances; what it calls noise is alone."""
    distances = _distances(vectors)

    def cut(min_cluster_size: float) -> Labels:
        size = min(int(min_cluster_size), len(vectors))
        if size < 2:
            return np.zeros(len(vectors), np.int64)
        model = HDBSCAN(min_cluster_size=size, metric="precomputed", copy=True)
        labels: Labels = model.fit_predict(distances).astype(np.int64)
        noise = labels < 0
        labels[noise] = labels.max() + 1 + np.arange(noise.sum())
        return labels

    return cut


def condensed(vectors: Vectors) -> NDArray[np.float64]:
    """Cosine distances of all pairs, as scipy takes them: [n (n - 1) / 2]."""
    found: NDArray[np.float64] = squareform(_distances(vectors), checks=False)
    return found


def _distances(vectors: Vectors) -> NDArray[np.float64]:
    distances: NDArray[np.float64] = np.clip(1 - vectors @ vectors.T, 0, 2).astype(np.float64)
    np.fill_diagonal(distances, 0)
    return distances


ALL = (
    Baseline("nearest_neighbour", nearest_neighbour, "threshold", THRESHOLDS, streams=True),
    Baseline("nearest_centroid", nearest_centroid, "threshold", THRESHOLDS, streams=True),
    Baseline("average_linkage", average_linkage, "threshold", THRESHOLDS, streams=False),
    Baseline("hdbscan", hdbscan, "min_cluster_size", MIN_CLUSTER_SIZES, streams=False),
)
