"""From webhooks to clusters, the product groups a set as the benchmark says that it does."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from itertools import batched
from pathlib import Path
from typing import Any

import pytest

from benchmarks.clustering import rows
from benchmarks.clustering.stream import Stream
from local.demo import feedback_file, senders
from local.parameters import DIMENSIONS, EMBEDDING_MODEL
from soulcaster.edges.gemini import Gemini
from soulcaster.rules import ids
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.source import Source
from tests.support import seeds, state
from tests.support.world import ROOT, World

DATA = Path(os.environ.get("SOULCASTER_DATA", ROOT.parent / "shared/data"))
# A file, and how many of its rows come in before each run of the clusterer.
SETS = [
    (ROOT / "sample/feedback.jsonl", 60),
    (DATA / "grouping/hint3_sofmattress.jsonl.gz", 200),
]


def kind_of(row: Mapping[str, Any]) -> str:
    """The kind of source that a row comes from."""
    name = str(row.get("source"))
    return name if name == "reddit" or name in senders.SENT else "standard"


def send(world: World, row: Mapping[str, Any]) -> None:
    """A row comes in as its source sends it; what is polled, as the poll hands it on."""
    kind = kind_of(row)
    if kind == "reddit":
        body, headers = rows._reddit(row)
        identifier = ids.source_id(seeds.PROJECT, kind)
        source = Source(id=identifier, project=seeds.PROJECT, kind=kind, name=kind)
        delivery = Delivery(
            project=seeds.PROJECT,
            source_id=identifier,
            source=source,
            headers=headers,
            body=body,
            received_at=seeds.THEN,
        )
        world.send("FeedbackQueue", delivery.message())
    else:
        body, headers = senders.SENT[kind](row, seeds.SECRETS[kind])
        answer = world.request("POST", seeds.webhook(kind), body=body, headers=headers)
        assert answer.status == 202, answer


def stored_as(row: Mapping[str, Any]) -> str:
    """The id that a row has in the product."""
    item = rows.feedback(row)
    source = ids.source_id(seeds.PROJECT, kind_of(row))
    return replace(item, project=seeds.PROJECT, source_id=source).id


@pytest.mark.parametrize(("file", "at_a_time"), SETS, ids=lambda value: getattr(value, "name", ""))
def test_the_product_groups_as_the_benchmark_does(world: World, file: Path, at_a_time: int) -> None:
    """The same items in the same batches are in the same groups: webhooks, queues, stores, the
    index and second looks change nothing about what the rule decides.
    """
    if not file.exists():
        pytest.skip(f"{file.name} is not on this machine")
    seeds.project(world)
    given = list(feedback_file.read(file))
    known = {row.id: row for row in rows.load(file)}
    gemini = Gemini(
        world.direct.gemini, world.credentials.gemini, EMBEDDING_MODEL, DIMENSIONS, "none"
    )
    benchmark, order = Stream(model=EMBEDDING_MODEL), []
    for part in batched(given, at_a_time, strict=False):
        for row in part:
            send(world, row)
        world.drain("FeedbackQueue")
        assert world.tick("ClusterFunction").error is None
        # The index has come to show what was put there.
        state.redis(world, "DEL", "p:larder:recent", "p:larder:recent:vectors")
        items = [replace(known[str(row["id"])], id=stored_as(row)) for row in part]
        benchmark.add(items, gemini.embed([item.text for item in items]), pending=0)
        order += [item.id for item in items]
    expected = grouped(dict(zip(order, benchmark.result().labels, strict=True)))
    found = {item: one["cluster"] for item, one in state.records(world, "fb").items()}
    assert grouped(found) == expected
    assert len(expected) > 20
    looked = json.loads(world.api("GET", f"/projects/{seeds.PROJECT}/grouping").body)
    assert looked["looks"] > 1


def grouped(labels: Mapping[str, str]) -> set[frozenset[str]]:
    """Which items are together, whatever the groups are called."""
    groups: dict[str, set[str]] = {}
    for item, label in labels.items():
        groups.setdefault(label, set()).add(item)
    return {frozenset(items) for items in groups.values()}
