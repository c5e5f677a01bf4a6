"""Imports of files: what is in them, and what has to come of it however often they are cut off."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from soulcaster.edges.import_store import ImportStore
from soulcaster.rules.imports import import_message, object_key
from tests.scenarios.case import Case, from_queue
from tests.support import seeds
from tests.support.state import State
from tests.support.world import World

IMPORT = "imp_larder_00ff"
TOPICS = ("Export", "Import", "Sorting", "Search", "Printing")
# A row that is refused, and why.
BAD = (
    ("{n},only two cells", "it has 2 cells and the header 5"),
    ("{n},,,ada,error", "title or text: is empty"),
    ("{n},Export {n},It fails.,ada,terrible", "severity: is none of info, warning, error, fatal"),
    ("{n},Export {n}\x00,It fails.,ada,error", "it has a NUL character"),
    ("{n},Export {n},It fails.,ada,error,more", "it has 6 cells and the header 5"),
)


def table(count: int, bad: Sequence[int]) -> tuple[str, list[tuple[int, str]]]:
    """CSV of so many rows, with those of the numbers in ``bad`` spoilt; and their report.

    Every third row is on two lines.
    """
    lines, report = ["id,title,text,author,severity"], list[tuple[int, str]]()
    at = 2
    spoilt = {number: BAD[place % len(BAD)] for place, number in enumerate(bad)}
    for n in range(count):
        row = (
            f'{n},"{TOPICS[n % 5]}, case {n}","It fails.{"\n" if n % 3 == 0 else " "}Always.",u{n},'
        )
        if n in spoilt:
            text, why = spoilt[n]
            row = text.format(n=n)
            report.append((at, why))
        lines.append(row)
        at += row.count("\n") + 1
    return "\n".join(lines) + "\n", report


def upload(world: World, content: str | bytes, identifier: str = IMPORT) -> None:
    """Put a file where the address of the import does."""
    body = content.encode() if isinstance(content, str) else content
    bucket = world.stack.buckets[0].name
    world.s3.put_object(Bucket=bucket, Key=object_key(identifier), Body=body)


def imports(world: World) -> ImportStore:
    """The product's own edge, past the wire."""
    return ImportStore(seeds.redis(world))


def started(world: World, form: Any = "csv", identifier: str = IMPORT) -> None:
    """An import that was made and started, with its message on the queue."""
    store = imports(world)
    assert store.add(identifier, form, "tickets", "ada", seeds.THEN)
    assert store.start(identifier, seeds.THEN).outcome == "started"
    world.send("ImportQueue", import_message(identifier, 0))


def read(world: World, identifier: str = IMPORT) -> dict[str, Any]:
    """The import as it is shown."""
    found = imports(world).read(identifier)
    assert found is not None
    return found


def numbers(world: World, identifier: str = IMPORT) -> tuple[int, int, int, int]:
    """How many rows were read, stored, new and refused."""
    found = read(world, identifier)
    return (found["rows"], found["stored"], found["new"], found["refused"])


def reported(world: World, identifier: str = IMPORT) -> list[tuple[int, str]]:
    """The line and reason of every refused row, in order."""
    page = imports(world).refused(identifier, 0, 20_000)
    assert page is not None
    return [(row["line"], row["reason"]) for row in page.items]


def file_waits(world: World) -> str:
    """A file of three chunks with bad rows in each."""
    seeds.project(world)
    upload(world, table(405, (0, 7, 199, 200, 300, 404))[0])
    started(world)
    return ""


def without_times(left: State) -> State:
    """All but when, and how often, rows came; the report in full."""
    kept = dict(left.redis)
    for key in left.redis:
        if ":source:" in key or ":intake:" in key:
            del kept[key]
    record = f"p:{seeds.PROJECT}:imp:{IMPORT}"
    kept[record] = {name: value for name, value in kept[record].items() if name != "updated"}
    kept[f"{record}:refused"] = [
        json.dumps(row, sort_keys=True) for row in kept[f"{record}:refused"]
    ]
    return replace(left, redis=kept)


CASES = (
    Case(
        "import",
        file_waits,
        from_queue("ImportQueue"),
        {"stored": 399, "source:file": 399},
        view=without_times,
    ),
)
