"""Measure the configured embedding model on texts of our own, which have nothing in common."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from scripts.background import TEXTS
from soulcaster import wiring
from soulcaster.rules.grouping.affinity import Rule
from soulcaster.rules.grouping.background import FOLDER, background, slug
from soulcaster.rules.grouping.calibration import to_text
from soulcaster.rules.grouping.geometry import Geometry
from soulcaster.rules.grouping.lens import KINDS, lenses
from soulcaster.rules.grouping.points import Array
from soulcaster.rules.text_kind import Kind
from soulcaster.settings import setting
from soulcaster.use_cases.calibrate import Sample, calibrate

ABOUT = "measure the embedding model on texts of our own, so that projects start from what it does"
SHOWN = ("unrelated", "spread", "crowded", "repeated")

type Embed = Callable[[Sequence[str]], Array]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What ``run`` is told."""
    parser.add_argument(
        "--store",
        action="store_true",
        help="keep the result in Redis, where it counts at once, and not in a file to deploy",
    )
    parser.add_argument(
        "--embedder",
        choices=("gemini", "local"),
        default="gemini",
        help="local: the local cloud's own model, without any server (default: gemini)",
    )


def run(options: argparse.Namespace) -> int:
    """Measure, keep the result, and print what is different now."""
    model, dimensions, embed = _local() if options.embedder == "local" else _configured()
    space = slug(model, dimensions)
    found = calibrate(samples(), embed)
    made = to_text(model, digest(), lenses(), found)
    if options.store:
        before = background(model, dimensions, wiring.models().put(space, made))
        place = "Redis"
    else:
        before = background(model, dimensions)
        file = FOLDER / f"{space}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(made, "utf-8")
        place = str(file)
    print("\n".join([f"{space}, from what it was to what it is:", *_changes(before, found)]))
    print(f"kept in {place}")
    return 0


def samples() -> list[Sample]:
    """The texts to calibrate with."""
    rows = (json.loads(line) for line in TEXTS.read_text("utf-8").splitlines())
    return [Sample(row["kind"], row["title"], row["text"]) for row in rows]


def digest() -> str:
    """What tells these texts from others."""
    return sha256(TEXTS.read_bytes()).hexdigest()[:16]


def _configured() -> tuple[str, int, Embed]:
    return setting("EMBEDDING_MODEL"), int(setting("EMBEDDING_DIMENSIONS")), wiring.gemini().embed


def _local() -> tuple[str, int, Embed]:
    # Only who asks for it pays for loading the runtime.
    from benchmarks.clustering.vectors import DIMENSIONS, MODEL, embedded  # noqa: PLC0415

    return MODEL, DIMENSIONS, embedded


def _changes(before: Mapping[Kind, Geometry], after: Mapping[Kind, Geometry]) -> list[str]:
    """A table: each kind's figures and bar, before and after."""
    titles = "".join(f"{name:>18}" for name in (*SHOWN, "bar"))
    lines = [f"{'':8}{titles}"]
    for kind in KINDS:
        pairs = [(getattr(before[kind], name), getattr(after[kind], name)) for name in SHOWN]
        pairs.append((Rule(lenses(), before).bar(kind), Rule(lenses(), after).bar(kind)))
        lines.append(f"{kind:8}" + "".join(f"{f'{a:.3f} → {b:.3f}':>18}" for a, b in pairs))
    return lines
