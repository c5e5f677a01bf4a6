"""python -m benchmarks.clustering.carry: whether the shipped bars hold for a model they never saw.

The model is TF-IDF with an SVD of each set's own texts, which is as far from a sentence encoder as
one can get. Bars fitted on its vectors (a set's by those of the other sets of its kind) are
compared with the shipped ones, carried over without looking at any label or calibrating anything.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.clustering import fit
from soulcaster.rules.grouping.geometry import unit
from soulcaster.rules.grouping.lens import KINDS, Lens, lenses
from soulcaster.rules.grouping.points import Array
from soulcaster.rules.text_kind import Kind

DIMENSIONS = 256
ALLOWED = 0.03  # how far below the fitted bars the carried ones may score
UNKNOWN = ""  # no model of that name was ever calibrated


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each set, each kind and the mean; 1 when the mean is too far below."""
    options = _parser().parse_args(arguments)
    options.model = UNKNOWN
    shipped = lenses()
    sets = [read(file) for file in sorted(options.data.glob("*.jsonl.gz"))]
    lines = []
    for kind in KINDS:
        scores = _of_kind([one for one in sets if one.kind == kind], shipped, options)
        if scores:
            lines.append(_shown({"kind": kind}, *_means(scores)))
    if not lines:
        print(f"{options.data} holds no sets", file=sys.stderr)
        return 2
    mean = _shown({"kind": "mean"}, *_means([(one["fitted"], one["carried"]) for one in lines]))
    return 1 if mean["difference"] < -ALLOWED else 0


def read(file: Path) -> fit.Set:
    """A set with vectors that its own texts alone made."""
    one = fit.read(file, None)
    vectors = tfidf([row.text for row in one.rows])
    return replace(one, vectors=vectors, points=replace(one.points, vectors=vectors))


def tfidf(texts: Sequence[str]) -> Array:
    """A vector for each text, float32 [texts, up to 256]: of length 1, or 0 for one without words.

    The same texts give the same vectors.
    """
    counts = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    width = min(DIMENSIONS, counts.shape[1] - 1, counts.shape[0] - 1)
    reduced = TruncatedSVD(max(width, 1), random_state=0).fit_transform(counts)
    return unit(reduced.astype(np.float32))


def _of_kind(
    sets: Sequence[fit.Set], shipped: Mapping[Kind, Lens], options: argparse.Namespace
) -> list[tuple[float, float]]:
    """For each set its score with a bar fitted on the others, and with the shipped one."""
    curves = {one.name: fit.curve(one, shipped[one.kind], UNKNOWN) for one in sets}
    scores = []
    for one in sets:
        others = [curves[other.name] for other in sets if other is not one]
        bar = fit.best(others or [curves[one.name]])
        fitted = fit.left_out(one, shipped, bar, options)["score"]
        carried = fit.left_out(one, shipped, shipped[one.kind].bar, options)["score"]
        bars = {"fitted_bar": bar, "shipped_bar": shipped[one.kind].bar}
        _shown({"set": one.name, **bars}, fitted, carried)
        scores.append((fitted, carried))
    return scores


def _means(scores: Sequence[tuple[float, float]]) -> tuple[float, float]:
    fitted, carried = np.mean(scores, axis=0)
    return float(fitted), float(carried)


def _shown(about: Mapping[str, object], fitted: float, carried: float) -> dict[str, float]:
    """Print a line; returns its figures."""
    pair = {"fitted": round(fitted, 4), "carried": round(carried, 4)}
    figures = {**pair, "difference": round(pair["carried"] - pair["fitted"], 4)}
    print(json.dumps({**about, **figures}), flush=True)
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.clustering.carry", description=main.__doc__
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of NAME.jsonl.gz, NAME.npy"
    )
    parser.add_argument("--seeds", type=int, default=2, help="random orders of each set")
    parser.add_argument("--batch", type=int, default=100, help="items clustered at a time")
    return parser


if __name__ == "__main__":
    sys.exit(main())
