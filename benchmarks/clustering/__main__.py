"""python -m benchmarks.clustering: see docs/benchmarks.md."""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.clustering.measure import measured
from benchmarks.clustering.orders import random_orders, time_order
from benchmarks.clustering.rows import Row, load
from benchmarks.clustering.vectors import DIMENSIONS, MODEL, embedded, given


def main(arguments: list[str] | None = None) -> int:
    """Print the figures of one set; bad input is one line on stderr and exit status 2."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        rows = load(options.data)
        vectors = given(options.embeddings, len(rows)) if options.embeddings else None
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if vectors is None:
        vectors = embedded([row.text for row in rows])
    # Vectors of another width are another model's.
    model = MODEL if vectors.shape[1] == DIMENSIONS else ""
    orders = [time_order(rows)] if options.order == "time" else random_orders(rows, options.seeds)
    line = {
        "data": options.data.name,
        "kind": _kind(rows),
        "embedder": options.embeddings.name if options.embeddings else MODEL,
        "order": options.order,
        "seeds": len(orders),
        "batch": options.batch,
        **measured(
            rows,
            vectors,
            orders,
            batch=options.batch,
            against=options.baselines,
            model=model,
        ),
    }
    print(json.dumps(line, indent=None if options.json else 1))
    return 0


def _kind(rows: list[Row]) -> str:
    kinds = {row.kind for row in rows}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.clustering",
        description="Stream labelled feedback through the product's clustering and score it.",
    )
    parser.add_argument("--data", type=Path, required=True, help="rows: .jsonl or .jsonl.gz")
    parser.add_argument("--embeddings", type=Path, help=".npy with a vector for each row")
    parser.add_argument("--order", choices=("random", "time"), default="random")
    parser.add_argument("--seeds", type=_positive, default=5, help="how many random orders")
    parser.add_argument("--batch", type=_positive, default=100, help="items clustered at a time")
    parser.add_argument("--baselines", action="store_true", help="simple methods beside it")
    parser.add_argument("--json", action="store_true", help="one line")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
