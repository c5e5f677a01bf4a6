"""Count the requests that each step makes to the outside: ``python -m benchmarks.roundtrips``.

One JSON line for each step of the design's table of budgets, then one for all the steps from
webhook to cluster, beside what the system that this one replaces needs for the same.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.world import World

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / ".soulcaster/state/gemini"
REPLACED = {1: 43, 1_000: 4_776}


def main() -> int:
    """Print the lines; the exit status is 1 when a step has gone over its budget."""
    sys.path.insert(0, str(ROOT / "layers/common"))
    # A function's process imports this file again, and must not import all that as well.
    from tests.support import budgets, world  # noqa: PLC0415

    over = False
    with tempfile.TemporaryDirectory() as folder:
        model = MODEL if MODEL.exists() else Path(folder) / "model"
        with world.started(Path(folder), model) as made:
            for row in budgets.rows(made):
                over = over or bool(row.over)
                print(row.line(), flush=True)
            for n, replaced in REPLACED.items():
                print(json.dumps(from_webhook_to_cluster(made, n, replaced)), flush=True)
    return 1 if over else 0


def from_webhook_to_cluster(world: "World", n: int, replaced: int) -> dict[str, object]:
    """What ``n`` deliveries use until they are in clusters, in instances that are warm."""
    from tests.support import budgets, seeds, state  # noqa: PLC0415 - as above

    for size in (1, n):
        state.clear(world)
        seeds.project(world)
        with world.tap.recording() as calls:
            for number, title in enumerate(budgets.titles(size)):
                body, headers = seeds.signed("standard", {"id": number, "title": title})
                path = seeds.webhook("standard")
                answer = world.request("POST", path, body=body, headers=headers)
                assert answer.status == 202, answer
            world.drain("FeedbackQueue")
            budgets.tick(world)
    assert state.counts(world, seeds.PROJECT)["clustered"] == str(n)
    return {
        "step": "from webhook to cluster",
        "n": n,
        **budgets.count(calls),
        "requests": len(calls),
        "replaced": replaced,
    }


if __name__ == "__main__":
    sys.exit(main())
