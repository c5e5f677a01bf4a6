"""SIGKILL in the middle: nothing that was accepted is lost, and the next run works."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from local.cloud import Cloud
from local.serve import running
from local.sqs import app
from soulcaster.rules import delivery
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.feedback import Feedback
from tests.local.emulated import Clock, until
from tests.local.queues import client as sqs_client
from tests.local.queues import count, receive
from tests.loop.clouds import (
    Command,
    client,
    feedback,
    kill_all,
    living,
    needs_proc,
    none_left,
    started,
    write_rows,
)

ROWS = 400  # sending them takes longer than it takes to hold the consumers
HELD = 12  # more than one batch


def main_process(demo: Command) -> None:
    os.kill(demo.process.pid, signal.SIGKILL)


def whole_tree(demo: Command) -> None:
    kill_all(demo.folder)


@needs_proc
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kill", [main_process, whole_tree])
def test_a_killed_demo_loses_nothing(tmp_path: Path, kill: Callable[[Command], None]) -> None:
    """What was stored has the same ids afterwards, what was on the queue is stored, no process
    is left, and the next demo ends well with every row once.
    """
    folder, file = tmp_path / "state", tmp_path / "reports.jsonl"
    ids = write_rows(file, ROWS)
    with started("local.demo", folder, "--exit", "--feedback", file) as demo:
        demo.until(lambda: (folder / "secrets.json").exists() and _stored(folder) >= 20)
        demo.until(lambda: _hold_consumers(folder) and len(_queued(folder)) > HELD)
        stored = _read(folder)
        kill(demo)
        demo.ended()
    assert none_left(folder)
    queued = _queued(folder)
    assert len(queued) > HELD
    assert set(stored.values()) | queued <= set(ids)

    with Cloud(folder, {}, schedules=False), client(folder) as api:
        expected = set(stored.values()) | queued
        found = until(
            lambda: (
                found if expected <= set((found := feedback(api, "reports")).values()) else None
            ),
            60,
        )
        assert stored.items() <= found.items()

    with started("local.demo", folder, "--exit", "--feedback", file) as demo:
        assert demo.ended(120) == 0, demo.printed
    for name in ("sent", "accepted", "stored", "clustered"):
        assert f"  {name:<10} {ROWS:>6}" in demo.printed


def _stored(folder: Path) -> int:
    try:
        with client(folder) as api:
            answer = api.get("/stats", params={"project": "reports"})
    except httpx.TransportError:
        return 0
    return int(answer.json()["stored"]) if answer.is_success else 0


def _read(folder: Path) -> dict[str, str]:
    with client(folder) as api:
        return feedback(api, "reports")


def _hold_consumers(folder: Path) -> bool:
    """Stop what empties the queue where it stands, so that some of it is in flight."""
    consumers = [pid for pid, name in living(folder).items() if "store.handler" in name]
    for pid in consumers:
        os.kill(pid, signal.SIGSTOP)
    return bool(consumers)


def _queued(folder: Path) -> set[str]:
    """The external ids of the feedback on the queue, in flight or not."""
    file = folder / "state/sqs/sqs.sqlite3"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        bodies = database.execute(
            "SELECT body FROM messages JOIN queues ON queues.id = messages.queue"
            " WHERE queues.name LIKE '%FeedbackQueue%'"
        ).fetchall()
    found = set()
    for (body,) in bodies:
        arrived = Delivery.from_message(body)
        assert arrived.source
        for read in delivery.read(arrived, arrived.source):
            assert isinstance(read, Feedback)
            found.add(read.external_id)
    return found


def test_the_queue_shows_what_ended_consumers_held(tmp_path: Path) -> None:
    """After a restart that says so a received message comes at once, a delayed one does not."""
    clock = Clock()
    with running(app(tmp_path, clock=clock)) as url:
        sqs = sqs_client(url)
        queue = sqs.create_queue(QueueName="main")["QueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody="held")
        sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=900)
        [held] = receive(sqs, queue)
    with running(app(tmp_path, clock=clock)) as url:
        assert count(sqs_client(url), queue) == (0, 1)
    with running(app(tmp_path, clock=clock, consumers_ended=True)) as url:
        [again] = receive(sqs_client(url), queue)
        assert (again["Body"], again["MessageId"]) == ("held", held["MessageId"])
        assert json.loads(again["Attributes"]["ApproximateReceiveCount"]) == 2
