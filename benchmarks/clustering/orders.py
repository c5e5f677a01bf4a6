"""The orders that items arrive in, and how much a result depends on them."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.clustering.rows import Row

type Order = list[int]  # indices of rows, first to arrive first


def random_orders(rows: Sequence[Row], seeds: int) -> list[Order]:
    """One order for each of the seeds 0, 1, …; the same however the rows are sorted."""
    by_id = sorted(range(len(rows)), key=lambda i: rows[i].id)
    return [
        [by_id[i] for i in np.random.default_rng(seed).permutation(len(rows))]
        for seed in range(seeds)
    ]


def time_order(rows: Sequence[Row]) -> Order:
    """Oldest first; those of the same time, or of none, by id."""
    return sorted(range(len(rows)), key=lambda i: (rows[i].created_at, rows[i].id))


def back[T](order: Order, arrived: Sequence[T]) -> list[T]:
    """What belongs to the arriving items, put into the order of the rows."""
    by_row = dict(zip(order, arrived, strict=True))
    return [by_row[i] for i in range(len(order))]


def agreement(partitions: Sequence[Sequence[Hashable]]) -> float:
    """The mean ARI of all pairs of partitions of the same items; 1.0 for a single one."""
    pairs = [
        float(adjusted_rand_score([str(x) for x in one], [str(x) for x in other]))
        for one, other in combinations(partitions, 2)
    ]
    return round(sum(pairs) / len(pairs), 5) if pairs else 1.0


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> int:
    """How many items that were in a cluster are in another now; new items do not count."""
    return sum(after[item] != cluster for item, cluster in before.items())
