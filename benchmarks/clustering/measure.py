"""Streams a set through the product and says how well it was grouped and at what cost."""

import resource
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.clustering import baselines
from benchmarks.clustering.metrics import mean, metrics
from benchmarks.clustering.orders import Order, agreement, back
from benchmarks.clustering.rows import Row
from benchmarks.clustering.stream import Lenses, Streamed, stream


def measured(
    rows: Sequence[Row],
    vectors: NDArray[np.float32],
    orders: Sequence[Order],
    *,
    batch: int,
    against: bool,
    model: str = "",
    lenses: Lenses | None = None,
) -> dict[str, Any]:
    """The figures of a set, means over ``orders``; with the baselines when ``against``.

    ``model``: whose vectors they are; '' for one that nothing is known of. ``lenses``: other
    constants than those shipped.
    ``vectors``: [n, d], unit length, a row an item, both in the order of ``rows``.
    """
    gold = [row.label for row in rows]
    use = partial(stream, batch=batch, model=model, lenses_=lenses)
    full = _run(rows, vectors, orders, partial(use, rebalance=True))
    only = _run(rows, vectors, orders, partial(use, rebalance=False))
    # Before the baselines, which hold the distances of all pairs.
    memory = peak_memory_mb()
    line = {
        **_figures(gold, orders, full),
        "changes_per_item": _mean([one.changes / len(rows) for one in full]),
        "assign_cpu_seconds": _mean([one.assign_seconds for one in full]),
        "rebalance_cpu_seconds": _mean([one.rebalance_seconds for one in full]),
        "index_cpu_seconds": _mean([one.index_seconds for one in full]),
        "peak_memory_mb": memory,
        "assign_only": {
            **_figures(gold, orders, only),
            "assign_cpu_seconds": _mean([one.assign_seconds for one in only]),
        },
    }
    if against:
        line["baselines"] = baselines.run_all(gold, vectors, orders)
    return line


def peak_memory_mb() -> float:
    """The most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes, but on macOS bytes.
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def _run(
    rows: Sequence[Row],
    vectors: NDArray[np.float32],
    orders: Sequence[Order],
    use: Callable[[Sequence[Row], NDArray[np.float32]], Streamed],
) -> list[Streamed]:
    return [use([rows[i] for i in order], vectors[order]) for order in orders]


def _figures(
    gold: Sequence[str], orders: Sequence[Order], results: Sequence[Streamed]
) -> dict[str, float]:
    partitions = [back(order, result.labels) for order, result in zip(orders, results, strict=True)]
    scores = [metrics(gold, labels) for labels in partitions]
    return {**mean(scores), "order_agreement": agreement(partitions)}


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 5)
