"""python -m benchmarks.clustering.fit: tunes the bars, and checks them on sets left out.

For each kind of text the bar is the one with the best mean score on the sets of that kind; what
is printed for a set comes from a bar that was chosen without it. Only bars are tuned here;
the rest of a lens is compared with ``--lens``.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from benchmarks.clustering.measure import measured
from benchmarks.clustering.metrics import SCORED, metrics
from benchmarks.clustering.orders import random_orders
from benchmarks.clustering.rows import Row, load
from benchmarks.clustering.vectors import MODEL, given
from soulcaster.rules.grouping.affinity import Rule, affinity
from soulcaster.rules.grouping.background import background
from soulcaster.rules.grouping.lens import KINDS, Lens, lenses
from soulcaster.rules.grouping.marks import marks, packed, unpacked
from soulcaster.rules.grouping.points import Points
from soulcaster.rules.grouping.rebalance import learned
from soulcaster.rules.text_kind import Kind, kind_of

GRID = 0.02
NO_BETTER = 0.001  # differences of scores that mean nothing
FILE = Path("layers/common/soulcaster/rules/grouping/lenses.json")


@dataclass(frozen=True, slots=True)
class Set:
    """A labelled set of one kind of text."""

    name: str
    kind: Kind
    rows: list[Row]
    vectors: NDArray[np.float32]
    points: Points


def main() -> int:
    """Print a line for each set, one for each kind and one for all; write with ``--write``."""
    options = _parser().parse_args()
    shipped = {
        kind: Lens(**(asdict(lens) | options.lens.get(kind, {}))) for kind, lens in lenses().items()
    }
    sets = [read(file, options.embeddings) for file in sorted(options.data.glob("*.jsonl.gz"))]
    curves = {one.name: curve(one, shipped[one.kind], options.model) for one in sets}
    chosen: dict[Kind, Lens] = {}
    means: list[float] = []
    for kind in KINDS:
        mine = [one for one in sets if one.kind == kind]
        if not mine:
            continue
        chosen[kind] = shipped[kind].with_bar(best([curves[one.name] for one in mine]))
        scores = []
        for one in mine:
            others = [curves[other.name] for other in mine if other is not one]
            bar = best(others or [curves[one.name]])
            figures = left_out(one, shipped, bar, options)
            scores.append(figures)
            line = {"set": one.name, "kind": kind, "bar_without_it": bar, **figures}
            print(json.dumps(line), flush=True)
        mean = {key: round(float(np.mean([s[key] for s in scores])), 4) for key in scores[0]}
        means.append(mean["score"])
        print(json.dumps({"kind": kind, "bar": chosen[kind].bar, **mean}), flush=True)
    print(json.dumps({"mean_score": round(float(np.mean(means)), 4)}))
    if options.write:
        write({**shipped, **chosen}, options.data)
    return 0


def read(file: Path, embeddings: Path | None) -> Set:
    """A set with its vectors; all rows must be of one kind of text, which the most of them are."""
    rows = load(file)
    name = file.name.removesuffix(".jsonl.gz")
    vectors = given((embeddings or file.parent) / f"{name}.npy", len(rows))
    kinds = [kind_of(row.source, row.channel, row.text) for row in rows]
    kind = max(sorted(set(kinds)), key=kinds.count)
    words = [unpacked(packed(marks(row.title, row.text, kind))) for row in rows]
    points = Points(
        ids=tuple(row.id for row in rows),
        kinds=(kind,) * len(rows),
        vectors=vectors,
        marks=np.array(words),
        clusters=("",) * len(rows),
        weights=np.ones(len(rows), np.float32),
        held=np.zeros(len(rows), bool),
        names=((),) * len(rows),
    )
    return Set(name, kind, rows, vectors, points)


def curve(one: Set, lens: Lens, model: str) -> dict[float, float]:
    """The score at each bar of the grid, of a look at the whole set."""
    known = background(model, one.vectors.shape[1])
    rule = learned(one.points, Rule({one.kind: lens}, {one.kind: known[one.kind]}))
    seen = affinity(one.points, rule)
    similarity = seen.margin + seen.bars[:, None]
    top = float(similarity.max())
    distance = top - (similarity + similarity.T) / 2
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    gold = [row.label for row in one.rows]
    found = {}
    bars = np.arange(-0.2, 4.0, 5 * GRID) if lens.in_spreads else np.arange(-0.2, 1.2, GRID)
    for bar in bars:
        needed = Rule({one.kind: lens.with_bar(float(bar))}, rule.geometries).bar(one.kind)
        labels = fcluster(tree, top - needed, "distance")
        found[round(float(bar), 3)] = _score(gold, labels)
    return found


def _score(gold: Sequence[str], labels: Sequence[int]) -> float:
    figures = metrics(gold, [str(x) for x in labels], ami=False)
    return float(np.mean([figures[key] for key in SCORED]))


def best(curves: Sequence[Mapping[float, float]]) -> float:
    """The highest bar whose mean score, its neighbours' counted in, is as good as the best.

    A plateau beats a peak, and on a plateau the cautious end: two clusters of one problem are
    easier to mend than one cluster of two.
    """
    bars = sorted(curves[0])
    means = np.array([np.mean([curve[bar] for curve in curves]) for bar in bars])
    smooth = np.convolve(np.pad(means, 1, mode="edge"), np.full(3, 1 / 3), "valid")
    return bars[int(np.flatnonzero(smooth >= smooth.max() - NO_BETTER)[-1])]


def left_out(
    one: Set, shipped: Mapping[Kind, Lens], bar: float, options: argparse.Namespace
) -> dict[str, float]:
    """What the product makes of a set with a bar that was chosen without it."""
    found = measured(
        one.rows,
        one.vectors,
        random_orders(one.rows, options.seeds),
        batch=options.batch,
        against=False,
        model=options.model,
        lenses={**shipped, one.kind: shipped[one.kind].with_bar(bar)},
    )
    keys = ("score", "v_measure", "b3_f1", "ari", "order_agreement", "changes_per_item")
    return {key: found[key] for key in keys} | {"assign_only_ari": found["assign_only"]["ari"]}


def write(made: Mapping[Kind, Lens], data: Path) -> None:
    """Write the constants with the command that made them."""
    command = f"python -m benchmarks.clustering.fit --data {data.parent.name}/{data.name} --write"
    page = {"made_by": command, "lenses": {kind: asdict(made[kind]) for kind in KINDS}}
    FILE.write_text(json.dumps(page, indent=1) + "\n", "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clustering.fit")
    parser.add_argument("--data", type=Path, required=True, help="NAME.jsonl.gz and NAME.npy")
    parser.add_argument("--embeddings", type=Path, help="folder of other NAME.npy")
    parser.add_argument("--model", default=MODEL, help="whose vectors they are")
    parser.add_argument("--lens", type=_json, default={}, help='such as {"short": {"marks": 0.3}}')
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="put the bars into the product")
    return parser


def _json(text: str) -> Any:
    return json.loads(text)


if __name__ == "__main__":
    sys.exit(main())
