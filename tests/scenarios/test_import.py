"""An import ends with every row stored or reported, whatever happens on the way."""

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from soulcaster.edges.clock import now_ms
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.rules import built_in, ids
from soulcaster.rules.day import day_of
from soulcaster.rules.imports import import_message
from soulcaster.rules.project import Project
from tests.scenarios.case import Case
from tests.scenarios.import_cases import (
    CASES,
    IMPORT,
    file_waits,
    imports,
    numbers,
    read,
    reported,
    started,
    table,
    upload,
)
from tests.scenarios.test_s11_killed_handlers import undisturbed
from tests.support import seeds, sources, state
from tests.support.tap import Fault
from tests.support.world import World

ROWS, BAD_ROWS = 10_000, 37


@pytest.fixture
def project(world: World) -> None:
    seeds.project(world)


@pytest.fixture
def hurried(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every invocation has time for a chunk, and for no other."""
    whole = world.stack.functions["ImportFunction"]
    short = replace(whole, timeout=50)
    with world.cold():
        monkeypatch.setitem(world.stack.functions, "ImportFunction", short)
        yield


def queued(world: World) -> list[Any]:
    """The different messages of imports."""
    name = world.stack.queues["ImportQueue"].name
    return [json.loads(body) for body in state._queues(world).get(name, [])]


def limits(world: World, **limits: int) -> None:
    """Give the project other limits."""
    changed = Project(id=seeds.PROJECT, name="Larder", **limits)  # type: ignore[arg-type]
    state.redis(world, "SET", f"p:{seeds.PROJECT}:project", changed.to_json())


def stored(world: World) -> int:
    """How many items the project has."""
    return int(state.redis(world, "ZCARD", f"p:{seeds.PROJECT}:fbs"))


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("project")
def test_ten_thousand_rows_are_stored_or_reported_and_a_kill_is_not_seen(world: World) -> None:
    """Of 10,000 rows 9,963 are stored and 37 reported, each with its line and why. It is killed on
    the way, twice, and ends as it should; again, and as another import, nothing is new.
    """
    spoilt = sorted(Random(7).sample(range(ROWS), BAD_ROWS))
    content, report = table(ROWS, spoilt)
    upload(world, content)
    started(world)
    for number, applied in ((40, True), (25, False)):
        with world.tap.faulty(Fault("kill", applied, system="redis", number=number)):
            delivery = world.deliver("ImportQueue")
        assert delivery is not None
        assert delivery.failed
        assert read(world)["state"] == "running"
    world.drain("ImportQueue")
    assert read(world)["state"] == "done"
    assert numbers(world) == (ROWS, ROWS - BAD_ROWS, ROWS - BAD_ROWS, BAD_ROWS)
    assert read(world)["bytes"] == len(content.encode())
    assert reported(world) == report
    assert stored(world) == ROWS - BAD_ROWS
    counts = f"p:{seeds.PROJECT}:counts"
    assert state.redis(world, "HGET", counts, "source:file") == str(ROWS - BAD_ROWS)
    world.send("ImportQueue", import_message(IMPORT, 0))
    world.drain("ImportQueue")
    assert numbers(world) == (ROWS, ROWS - BAD_ROWS, ROWS - BAD_ROWS, BAD_ROWS)
    other = "imp_larder_00aa"
    upload(world, content, other)
    started(world, identifier=other)
    world.drain("ImportQueue")
    assert numbers(world, other) == (ROWS, ROWS - BAD_ROWS, 0, BAD_ROWS)
    assert reported(world, other) == report
    assert stored(world) == ROWS - BAD_ROWS


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_s11_an_import_killed_at_any_outside_call_ends_the_same(
    world: World, case: Case, applied: bool, subtests: pytest.Subtests
) -> None:
    """Killed before or after each call it makes, then asked again: the state is the same, and
    so is the report.
    """
    expected, calls = undisturbed(world, case)
    assert len(calls) > 8
    for number, call in enumerate(calls, 1):
        with subtests.test(f"{number}: {call}"):
            state.clear(world)
            case.arrange(world)
            with world.tap.faulty(Fault("kill", applied, number=number)), world.cold():
                assert not case.deliver(world), "it was not killed"
            assert case.deliver(world)
            assert case.view(state.snapshot(world)) == expected


@pytest.mark.parametrize(("call", "fails"), [(4, True), (5, False)])
def test_a_store_that_fails_once_holds_up_nothing(world: World, call: int, fails: bool) -> None:
    """Once rows are accounted for, another message goes on in a minute: one that fails waits for
    half an hour, as it does where nothing was achieved.
    """
    file_waits(world)
    with world.tap.faulty(Fault(500, system="redis", number=call)):
        delivery = world.deliver("ImportQueue")
    assert delivery
    assert (bool(delivery.failed), read(world)["state"]) == (fails, "running")
    assert queued(world) == [{"import": IMPORT, "turn": 0 if fails else 1}]
    world.drain("ImportQueue")
    assert (read(world)["state"], numbers(world)) == ("done", (405, 399, 399, 6))


@pytest.mark.usefixtures("hurried")
def test_when_time_is_short_another_message_goes_on(world: World) -> None:
    """Chunk by chunk, each with a message of its own, to the same end; an old message that comes
    again does nothing.
    """
    file_waits(world)
    turns = 0
    while waiting := queued(world):
        assert waiting == [{"import": IMPORT, "turn": turns}]
        assert world.deliver("ImportQueue")
        turns += 1
    assert turns == 3
    assert (read(world)["state"], numbers(world)) == ("done", (405, 399, 399, 6))


@pytest.mark.usefixtures("hurried")
def test_a_message_that_was_overtaken_does_nothing(world: World) -> None:
    """A delivery of an earlier turn is dropped, as a later one was received."""
    file_waits(world)
    world.deliver("ImportQueue")
    world.deliver("ImportQueue")
    before = numbers(world)
    waiting = queued(world)
    world.sqs.purge_queue(QueueUrl=world.stack.queues["ImportQueue"].url)
    world.send("ImportQueue", import_message(IMPORT, 0))
    world.drain("ImportQueue")
    assert numbers(world) == before
    assert waiting == [{"import": IMPORT, "turn": 2}]


@pytest.mark.usefixtures("hurried")
def test_what_is_cancelled_stops_where_it_is(world: World) -> None:
    """After the chunk that was let in; what is stored is what the import says."""
    file_waits(world)
    world.deliver("ImportQueue")
    assert imports(world).cancel(IMPORT, now_ms()) == "running"
    world.drain("ImportQueue")
    found = read(world)
    assert found["state"] == "cancelled"
    assert found["new"] == found["stored"] == stored(world)
    assert 0 < found["stored"] < 399
    world.send("ImportQueue", import_message(IMPORT, 9))
    world.drain("ImportQueue")
    assert read(world) == found


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("limit", ["items_per_day", "pending_items"])
def test_over_a_quota_it_waits_and_goes_on_by_itself(world: World, limit: str) -> None:
    """Exactly as many rows as there is room for are stored; with more room it ends as it should,
    and nobody has to ask.
    """
    content, report = table(405, (3, 300))
    upload(world, content)
    limits(world, **{limit: 250})
    started(world)
    world.deliver("ImportQueue")
    found = read(world)
    assert found["state"] == "paused"
    assert "250" in found["reason"]
    assert found["reason"].endswith("it goes on by itself")
    assert found["new"] == stored(world) == 250
    assert queued(world) == [{"import": IMPORT, "turn": 1}]
    world.deliver("ImportQueue")
    assert read(world)["state"] == "paused"
    assert stored(world) == 250
    limits(world, **{limit: 403})
    world.drain("ImportQueue")
    assert (read(world)["state"], read(world)["reason"]) == ("done", "")
    assert (numbers(world), reported(world)) == ((405, 403, 403, 2), report)
    today = f"p:{seeds.PROJECT}:intake:{day_of(now_ms())}"
    assert state.redis(world, "HGET", today, "items") == "403"


@pytest.mark.usefixtures("project")
def test_known_rows_need_no_room(world: World) -> None:
    """With the day's items used up, a file whose rows are all there is imported all the same."""
    content, _ = table(20, ())
    upload(world, content)
    started(world)
    world.drain("ImportQueue")
    limits(world, items_per_day=20)
    other = "imp_larder_00aa"
    upload(world, content, other)
    started(world, identifier=other)
    world.drain("ImportQueue")
    assert (read(world, other)["state"], numbers(world, other)) == ("done", (20, 20, 0, 0))


@pytest.mark.usefixtures("project")
def test_what_was_deleted_stays_so_and_is_reported(world: World) -> None:
    """A row of an item that somebody deleted is not stored again."""
    content, _ = table(3, ())
    upload(world, content)
    started(world)
    world.drain("ImportQueue")
    deleted = ids.feedback_id(seeds.PROJECT, "src_larder_file", "1")
    assert FeedbackStore(seeds.redis(world)).delete(seeds.PROJECT, deleted, now_ms())
    other = "imp_larder_00aa"
    upload(world, content, other)
    started(world, identifier=other)
    world.drain("ImportQueue")
    assert numbers(world, other) == (3, 2, 0, 1)
    assert reported(world, other) == [(4, "it was deleted here, and stays so")]
    assert stored(world) == 2


@pytest.mark.usefixtures("hurried")
def test_a_file_that_was_replaced_is_not_mixed(world: World) -> None:
    """Another file at the same address ends the import, before a row of it is stored."""
    file_waits(world)
    world.deliver("ImportQueue")
    before = stored(world)
    upload(world, table(405, ())[0])
    world.drain("ImportQueue")
    found = read(world)
    assert (found["state"], found["reason"]) == (
        "failed",
        "the file was replaced while it was imported",
    )
    assert stored(world) == before


@pytest.mark.usefixtures("hurried")
def test_files_that_are_switched_off_meanwhile_stop(world: World) -> None:
    """What is stored stays, and no row is reported for it."""
    file_waits(world)
    world.deliver("ImportQueue")
    before = stored(world)
    known = built_in.source(seeds.PROJECT, "file")
    sources.put(seeds.redis(world), replace(known, enabled=False))
    world.drain("ImportQueue")
    found = read(world)
    reason = "the source that files come by is switched off"
    assert (found["state"], found["reason"]) == ("failed", reason)
    assert stored(world) == before


def test_a_message_that_is_none_ends_with_the_dead_letters(world: World) -> None:
    """It is given back each time, and never stops another."""
    world.send("ImportQueue", "nonsense", json.dumps({"import": "job_larder_1", "turn": 0}))
    for _ in range(2):
        delivery = world.deliver("ImportQueue")
        assert delivery is not None
        assert delivery.failed
        assert delivery.result.error is None
