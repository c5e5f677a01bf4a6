"""A job's attempts as scenarios see them: its tasks, its messages, and what its tasks say."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Literal

from soulcaster.rules.job import attempt_message, credential
from tests.support import seeds, state
from tests.support.world import World

MINUTE = 60_000


def queued(world: World) -> str:
    """A job whose message is in the queue."""
    seeds.project(world)
    job = seeds.job(world, seeds.cluster(world), "queued")
    world.send("FixQueue", attempt_message(job, 1))
    return job


def stored(world: World, job: str) -> dict[str, Any]:
    """The job as it is stored."""
    found: dict[str, Any] = state.records(world, "job")[job]
    return found


def history(world: World, job: str) -> list[tuple[str, int]]:
    """The states that the job has been in, and in which attempt."""
    lines = state.stored(world)[f"p:{seeds.PROJECT}:job:{job}:history"]
    return [(line["state"], line["attempt"]) for line in lines]


def tasks(world: World, job: str, attempt: int = 1) -> list[str]:
    """The tasks that were started for an attempt, those that have ended, too."""
    cluster = world.stack.functions["DispatchFunction"].environment["ECS_CLUSTER"]
    found: list[str] = []
    for desired in ("RUNNING", "STOPPED"):
        wanted = {"startedBy": f"{job}/{attempt}", "desiredStatus": desired}
        found += world.ecs.list_tasks(cluster=cluster, **wanted)["taskArns"]
    return found


def delays(world: World, queue: str = "FixQueue") -> list[float]:
    """For how many seconds each message of the queue is held back; none was received yet."""
    with closing(sqlite3.connect(world.folder / "sqs/sqs.sqlite3")) as database:
        rows = database.execute(
            "SELECT visible_at - sent FROM messages JOIN queues ON queues.id = messages.queue"
            " WHERE name = ?",
            (queue,),
        ).fetchall()
    return [row[0] / 1000 for row in rows]


def dispatched(world: World) -> list[float]:
    """Deliver until nothing is left in the queue, however long it is held back.

    Returns for how many seconds each message was held back that dispatching left behind.
    """
    held: list[float] = []
    for _ in range(40):
        left = delays(world)
        if not left:
            return held[1:]
        held += left
        world.queue_clock.ahead += max(left)
        world.deliver("FixQueue")
    raise AssertionError("messages come again and again")


@contextmanager
def ecs_faults(world: World, **faults: Any) -> Iterator[None]:
    """Let calls of ECS fail in this block."""
    url = f"{world.direct.ecs}/_local/faults"
    world.http.post(url, json=faults).raise_for_status()
    try:
        yield
    finally:
        world.http.post(url, json={name: [] for name in faults}).raise_for_status()


def token(world: World, purpose: Literal["ticket", "callback"], job: str, attempt: int = 1) -> str:
    """What the task of an attempt was started with, or what it got for it."""
    return credential(world.secrets["TicketKey"], purpose, job, attempt)


def say(world: World, action: str, shown: str, body: Mapping[str, Any]) -> int:
    """What a task's call is answered, as a status; a ``claim`` shows its ticket."""
    whole = {"ticket": shown} if action == "claim" else body
    headers = {"content-type": "application/json", "authorization": f"Bearer {shown}"}
    raw = json.dumps(whole).encode()
    return world.request("POST", f"/agent/{action}", body=raw, headers=headers).status
