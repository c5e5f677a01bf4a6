"""python -m benchmarks.clustering.cost: what an item costs when there are few, and when many.

CPU seconds of the process, all its threads. The search for neighbours is not in them: an
index outside does that in production.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from benchmarks.clustering.baselines import condensed
from benchmarks.clustering.measure import peak_memory_mb
from benchmarks.clustering.rows import Row
from benchmarks.clustering.stream import Stream, Streamed
from benchmarks.clustering.synthetic import made

ROUNDS = 3  # of the small one, whose time is short enough to be disturbed
CUT = 0.3  # any height: cutting takes next to nothing


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many items there are before those measured, how many those are, and the batch."""

    few: int = 1_000
    many: int = 99_000
    following: int = 1_000
    linkage: int = 10_000
    batch: int = 100


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clustering.cost")
    parser.add_argument("--json", action="store_true", help="one line")
    options = parser.parse_args()
    print(json.dumps(costs(Sizes()), indent=None if options.json else 1))
    return 0


def costs(sizes: Sizes) -> dict[str, Any]:
    """The marginal cost beside few and many items, and the whole cost beside average linkage."""
    few = [marginal(sizes.few, sizes, seed) for seed in range(ROUNDS)]
    few_ms = statistics.median(one["cpu_ms_per_item"] for one in few)
    many = marginal(sizes.many, sizes)
    memory = peak_memory_mb()
    return {
        "batch": sizes.batch,
        "few": next(one for one in few if one["cpu_ms_per_item"] == few_ms),
        "many": many,
        "ratio": round(many["cpu_ms_per_item"] / few_ms, 3),
        "peak_memory_mb": memory,
        "against_average_linkage": against_linkage(sizes),
    }


def marginal(streamed: int, sizes: Sizes, seed: int = 0) -> dict[str, float]:
    """Milliseconds of CPU that each following item takes once ``streamed`` ones are there."""
    rows, vectors = made(streamed + sizes.following, seed)
    project = Stream()
    before = _streamed(project, rows[:streamed], vectors[:streamed], sizes.batch)
    after = _streamed(project, rows[streamed:], vectors[streamed:], sizes.batch)
    assign = after.assign_seconds - before.assign_seconds
    rebalance = after.rebalance_seconds - before.rebalance_seconds
    return {
        "streamed": streamed,
        "following": sizes.following,
        "assign_cpu_seconds": round(assign, 4),
        "rebalance_cpu_seconds": round(rebalance, 4),
        "cpu_ms_per_item": round(1000 * (assign + rebalance) / sizes.following, 4),
        "index_cpu_seconds": round(after.index_seconds - before.index_seconds, 4),
    }


def against_linkage(sizes: Sizes) -> dict[str, float]:
    """All of the product's work on a set, and average linkage's on the same vectors.

    ``ratio`` is the product's CPU to that of distances, tree and cut; ``ratio_to_tree`` leaves
    out the distances, as the index is left out of the product's.
    """
    rows, vectors = made(sizes.linkage)
    done = _streamed(Stream(), rows, vectors, sizes.batch)
    product = done.assign_seconds + done.rebalance_seconds
    start = time.process_time()
    distances = condensed(vectors)
    measured = time.process_time()
    fcluster(linkage(distances, "average"), CUT, "distance")
    built = time.process_time()
    return {
        "n": len(rows),
        "product_cpu_seconds": round(product, 4),
        "distances_cpu_seconds": round(measured - start, 4),
        "tree_cpu_seconds": round(built - measured, 4),
        "ratio": round(product / (built - start), 4),
        "ratio_to_tree": round(product / (built - measured), 4),
    }


def _streamed(
    project: Stream, rows: Sequence[Row], vectors: NDArray[np.float32], batch: int
) -> Streamed:
    for start in range(0, len(rows), batch):
        project.add(rows[start : start + batch], vectors[start : start + batch])
    return project.result()


if __name__ == "__main__":
    sys.exit(main())
