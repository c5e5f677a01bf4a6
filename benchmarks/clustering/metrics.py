"""How well a partition fits the labels. Every figure is rounded to 5 digits, percentages to 2."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

# Their mean is ``score``.
SCORED = ("v_measure", "b3_f1", "ari")


def metrics(
    gold: Sequence[Hashable], pred: Sequence[Hashable], *, ami: bool = True
) -> dict[str, float]:
    """All figures for items whose true groups are ``gold`` and whose clusters are ``pred``.

    ``n``, ``k_gold`` and ``k_pred`` are counts. ``b3`` is B-cubed over all items, ``b3m`` over
    those whose true group has two or more, which "each item alone" can not fake; ``pair`` is
    over pairs of items. ``ami`` takes longest and may be left out. Raises ``ValueError`` for
    sequences that are empty or of two lengths.
    """
    if not gold or len(gold) != len(pred):
        raise ValueError(f"{len(pred)} clusters for {len(gold)} labels")
    g, p = _codes(gold), _codes(pred)
    n = len(g)
    group, cluster = np.bincount(g).astype(float), np.bincount(p).astype(float)
    # For each item: its group's size, its cluster's, and how many share both with it.
    of_group, of_cluster = group[g], cluster[p]
    _, cell, counts = np.unique(g * len(cluster) + p, return_inverse=True, return_counts=True)
    shared = counts[cell].astype(float)
    grouped = of_group >= 2

    b3_p, b3_r = float((shared / of_cluster).mean()), float((shared / of_group).mean())
    b3m_p = b3m_r = 1.0
    if grouped.any():
        b3m_p = float((shared / of_cluster)[grouped].mean())
        b3m_r = float((shared / of_group)[grouped].mean())
    both, gold_pairs, pred_pairs = (_pairs(sizes) for sizes in (counts, group, cluster))
    pair_p = both / pred_pairs if pred_pairs else float(gold_pairs == 0)
    pair_r = both / gold_pairs if gold_pairs else 1.0
    homogeneity, completeness, v_measure = sk.homogeneity_completeness_v_measure(g, p)
    figures = {
        "v_measure": v_measure,
        "homogeneity": homogeneity,
        "completeness": completeness,
        "nmi": sk.normalized_mutual_info_score(g, p),
        "ari": sk.adjusted_rand_score(g, p),
        "b3_p": b3_p,
        "b3_r": b3_r,
        "b3_f1": _f1(b3_p, b3_r),
        "b3m_p": b3m_p,
        "b3m_r": b3m_r,
        "b3m_f1": _f1(b3m_p, b3m_r),
        "pair_p": pair_p,
        "pair_r": pair_r,
        "pair_f1": _f1(pair_p, pair_r),
    }
    if ami:
        figures["ami"] = sk.adjusted_mutual_info_score(g, p)
    return {
        "n": n,
        "k_gold": len(group),
        "k_pred": len(cluster),
        "singletons_gold_pct": round(100 * float((group == 1).sum()) / n, 2),
        "singletons_pred_pct": round(100 * float((cluster == 1).sum()) / n, 2),
        "largest_pred_pct": round(100 * float(cluster.max()) / n, 2),
        **{name: round(float(value), 5) for name, value in figures.items()},
    }


def score(figures: Mapping[str, float]) -> float:
    """The one number that partitions are compared by."""
    return round(sum(figures[name] for name in SCORED) / len(SCORED), 5)


def mean(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure, and ``score`` of the means; ``n`` stays a count."""
    means = {
        name: round(sum(figures[name] for figures in several) / len(several), 5)
        for name in several[0]
    }
    return {**means, "n": int(means["n"]), "score": score(means)}


def _codes(labels: Sequence[Hashable]) -> NDArray[np.int64]:
    """The labels as 0, 1, … in order of appearance."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(label, len(known)) for label in labels], np.int64)


def _pairs(sizes: NDArray[np.float64] | NDArray[np.int64]) -> float:
    return float((sizes * (sizes - 1) / 2).sum())


def _f1(precision: float, recall: float) -> float:
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0
