"""Which cluster an item belongs to: pure functions over arrays.

This rule is the simple one: average similarity to the nearest known members of a cluster,
against one threshold for each kind of text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["short", "report", "error"]

# Cosine similarities by embedding model and kind of text: the same number means something else
# in another model's space. Those of MiniLM were chosen by hand, on the sample's feedback and, for
# long reports, on public bug trackers, where 0.5 put unrelated ones together. Those of
# Gemini were not measured: its vectors could not be had. They are set high, because two clusters
# of one problem are easier to mend than one cluster of two.
THRESHOLDS: dict[str, dict[Kind, float]] = {
    "all-minilm-l6-v2": {"short": 0.50, "report": 0.70, "error": 0.65},
    "gemini-embedding-001": {"short": 0.85, "report": 0.85, "error": 0.92},
}
REPORT_CHARS = 400
NEAREST = 2


@dataclass(frozen=True, slots=True)
class Item:
    """A new item: its id and the kind of text it is."""

    id: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Member:
    """An item that already is in a cluster, as a neighbour of a new one."""

    id: str
    cluster: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where an item goes and why: the members it was compared with, and the bar."""

    id: str
    cluster: str
    opened: bool
    score: float
    threshold: float
    nearest: tuple[Member, ...]


def kind_of(source: str, text: str) -> Kind:
    """The kind of text an item is, from its source and length."""
    if source == "sentry":
        return "error"
    return "report" if len(text) > REPORT_CHARS else "short"


def assign(
    items: Sequence[Item],
    vectors: NDArray[np.float32],
    neighbours: Sequence[Sequence[Member]],
    thresholds: Mapping[Kind, float],
    open_cluster: Callable[[str], str],
) -> list[Assignment]:
    """Place ``items`` one after another, each beside what was placed before it.

    ``vectors``: (n, d), unit length, a row an item. ``neighbours``: for each item, members of
    existing clusters with their cosine. ``thresholds``: the least score that joins.
    ``open_cluster`` names a new cluster from the item that founds it. Deterministic; the
    caller fixes the order of the items.
    """
    if len(items) != len(vectors) or len(items) != len(neighbours):
        raise ValueError("items, vectors and neighbours must be of one length")
    among = vectors @ vectors.T
    placed: list[Assignment] = []
    for i, item in enumerate(items):
        members: dict[str, list[Member]] = {}
        for member in neighbours[i]:
            members.setdefault(member.cluster, []).append(member)
        for j, other in enumerate(placed):
            near = Member(other.id, other.cluster, round(float(among[i, j]), 4))
            members.setdefault(other.cluster, []).append(near)
        best: tuple[float, str, list[Member]] = (-1.0, "", [])
        for cluster, candidates in members.items():
            top = sorted(candidates, key=lambda m: (-m.cosine, m.id))[:NEAREST]
            score = sum(m.cosine for m in top) / len(top)
            if (score, cluster) > best[:2]:
                best = (score, cluster, top)
        score, cluster, top = best
        threshold = thresholds[item.kind]
        joins = score >= threshold
        placed.append(
            Assignment(
                item.id,
                cluster if joins else open_cluster(item.id),
                not joins,
                round(score, 4),
                threshold,
                tuple(top),
            )
        )
    return placed
