"""What the ECS emulator reports, and what becomes of its tasks when it ends."""

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.ecs import app, processes
from local.serve import running
from tests.local.emulated import options, process, until

DEFINITIONS: dict[str, Any] = {
    "long": {"containers": {"agent": {"command": ["sleep", "600"]}}},
    "short": {"containers": {"agent": {"command": ["true"]}}},
}
NETWORK: Any = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


@dataclass
class Receiver:
    """Takes events, after refusing some."""

    refusing: int = 0
    events: list[Any] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        """Keep an event, or refuse it with 503."""
        if self.refusing:
            self.refusing -= 1
            return Response(status_code=503)
        self.events.append(await request.json())
        return Response()

    def details(self) -> list[Any]:
        """What the events say about tasks."""
        return [event["detail"] for event in self.events]

    def stopped(self) -> Any:
        """What the event says that a task stopped, once there is one."""
        return until(
            lambda: next((d for d in self.details() if d["lastStatus"] == "STOPPED"), None)
        )


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def events(receiver: Receiver) -> Iterator[str]:
    with running(Starlette(routes=[Route("/", receiver.take, methods=["POST"])])) as url:
        yield url


def run(url: str, definition: str, **given: Any) -> Any:
    ecs = boto3.client("ecs", **options(url))
    (task,) = ecs.run_task(
        taskDefinition=definition, launchType="FARGATE", networkConfiguration=NETWORK, **given
    )["tasks"]
    return task


def test_every_change_is_an_event(tmp_path: Path, events: str, receiver: Receiver) -> None:
    """Provisioning, running and stopped arrive with rising versions and all that is known."""
    with running(app(tmp_path, DEFINITIONS, events=events)) as url:
        task = run(url, "short", startedBy="job-1")
        stopped = receiver.stopped()
    details = receiver.details()
    assert [each["lastStatus"] for each in details] == ["PROVISIONING", "RUNNING", "STOPPED"]
    assert [each["version"] for each in details] == [1, 2, 3]
    event = receiver.events[-1]
    assert (event["source"], event["detail-type"]) == ("aws.ecs", "ECS Task State Change")
    assert event["resources"] == [stopped["taskArn"]] == [task["taskArn"]]
    assert stopped["clusterArn"] == task["clusterArn"]
    assert stopped["containers"][0]["exitCode"] == 0
    assert (stopped["startedBy"], stopped["group"]) == ("job-1", "family:short")
    assert stopped["overrides"] == {"containerOverrides": []}


def test_refused_event_comes_again(tmp_path: Path, events: str, receiver: Receiver) -> None:
    """A receiver that fails gets the same events later, still in order."""
    receiver.refusing = 2
    with running(app(tmp_path, DEFINITIONS, events=events)) as url:
        run(url, "short")
        receiver.stopped()
    statuses = [each["lastStatus"] for each in receiver.details()]
    assert statuses == ["PROVISIONING", "RUNNING", "STOPPED"]


def container(state: Path) -> tuple[int, str] | None:
    """The first process of the only task's container, and when it started."""
    with sqlite3.connect(state / "ecs.sqlite3") as database:
        row = database.execute("SELECT pid, pid_started FROM tasks").fetchone()
    return row if row and row[0] else None


@contextmanager
def emulator(state: Path, events: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    definitions = state / "definitions.json"
    definitions.write_text(json.dumps(DEFINITIONS))
    arguments = ("--state", str(state), "--definitions", str(definitions), "--events", events)
    with process("local.ecs", *arguments) as started:
        yield started


def killed_while_running(state: Path, events: str) -> tuple[Any, int, str]:
    """A task whose emulator was killed, with its container's process."""
    with emulator(state, events) as (url, started):
        task = run(url, "long", clientToken="once")
        pid, since = until(lambda: container(state))
        assert processes.started(pid) == since
        started.kill()
        started.wait()
    return task, pid, since


def test_tasks_end_with_a_killed_emulator(tmp_path: Path, events: str, receiver: Receiver) -> None:
    """Nothing runs on after kill -9, and the next life reports the task once as stopped."""
    task, pid, since = killed_while_running(tmp_path, events)
    until(lambda: processes.started(pid) != since)
    receiver.events.clear()
    with emulator(tmp_path, events) as (url, _):
        stopped = receiver.stopped()
        assert stopped["taskArn"] == task["taskArn"]
        assert stopped["stopCode"] == "InfrastructureHealth"
        assert "exitCode" not in stopped["containers"][0]
        assert run(url, "long", clientToken="once")["taskArn"] == task["taskArn"]


def test_container_that_outlived_its_emulator_is_killed(tmp_path: Path, events: str) -> None:
    """One that could not end itself, being suspended, ends when the emulator is back."""
    with emulator(tmp_path, events) as (url, started):
        run(url, "long")
        pid, since = until(lambda: container(tmp_path))
        os.kill(pid, signal.SIGSTOP)
        started.kill()
        started.wait()
    assert processes.started(pid) == since
    with emulator(tmp_path, events):
        assert processes.started(pid) != since


def test_stranger_with_a_used_pid_is_left_alone(
    tmp_path: Path, events: str, receiver: Receiver
) -> None:
    """A process that has a task's old pid by chance is not killed."""
    killed_while_running(tmp_path, events)
    receiver.events.clear()
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        with sqlite3.connect(tmp_path / "ecs.sqlite3") as database:
            database.execute("UPDATE tasks SET pid = ?", (stranger.pid,))
        with emulator(tmp_path, events):
            receiver.stopped()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_tasks_end_with_the_application(tmp_path: Path) -> None:
    """When the emulator is shut down in the ordinary way its tasks are gone after it."""
    with running(app(tmp_path, DEFINITIONS)) as url:
        run(url, "long")
        pid, since = until(lambda: container(tmp_path))
    assert processes.started(pid) != since
