"""What a task is and how it changes, in the vendor's own shape; times in unix seconds.

Every change gives a new task with a higher ``version``. A state-change event holds the
task as it was after one change.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from local.aws import ACCOUNT, Args
from local.ecs.definitions import Definition

type Task = dict[str, Any]

_TIMES = ("createdAt", "startedAt", "stoppingAt", "stoppedAt", "executionStoppedAt")
HOST_ENDED = "The host of the task ended."


def new(definition: Definition, args: Args, cluster_arn: str, now: float) -> Task:
    """The task that RunTask's ``args`` ask for, before anything runs."""
    task_id = uuid.uuid4().hex
    where, _, cluster = cluster_arn.partition(":cluster/")
    arn = f"{where}:task/{cluster}/{task_id}"
    container = {
        "containerArn": f"{where}:container/{cluster}/{task_id}/{uuid.uuid4()}",
        "taskArn": arn,
        "name": definition.container,
        "lastStatus": "PENDING",
        "networkInterfaces": [],
    }
    optional = {name: args[name] for name in ("startedBy", "tags") if args.get(name)}
    return optional | {
        "taskArn": arn,
        "clusterArn": cluster_arn,
        "taskDefinitionArn": definition.arn,
        "group": args.get("group") or f"family:{definition.family}",
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "lastStatus": "PROVISIONING",
        "desiredStatus": "RUNNING",
        "containers": [container],
        "overrides": args.get("overrides") or {"containerOverrides": []},
        "attachments": [],
        "createdAt": now,
        "version": 1,
    }


def running(task: Task, now: float) -> Task:
    return _changed(task, {"lastStatus": "RUNNING"}, lastStatus="RUNNING", startedAt=now)


def stopping(task: Task, reason: str, now: float) -> Task:
    """A task that somebody asked to stop."""
    return _changed(
        task,
        {},
        desiredStatus="STOPPED",
        stopCode="UserInitiated",
        stoppedReason=reason,
        stoppingAt=now,
    )


def exited(task: Task, code: int, now: float) -> Task:
    """A task whose container ended with exit code ``code``."""
    container = {"lastStatus": "STOPPED", "exitCode": code}
    why = ("EssentialContainerExited", "Essential container in task exited")
    return _stopped(task, container, why, now)


def not_started(task: Task, reason: str, now: float) -> Task:
    """A task whose container never ran; there is no exit code."""
    container = {"lastStatus": "STOPPED", "reason": reason}
    return _stopped(task, container, ("TaskFailedToStart", reason), now)


def lost(task: Task, now: float) -> Task:
    """A task that ended with its host; nobody knows how."""
    why = ("InfrastructureHealth", HOST_ENDED)
    return _stopped(task, {"lastStatus": "STOPPED"}, why, now)


def _stopped(task: Task, container: Task, why: tuple[str, str], now: float) -> Task:
    code, reason = why
    return _changed(
        task,
        container,
        lastStatus="STOPPED",
        desiredStatus="STOPPED",
        stopCode=task.get("stopCode", code),
        stoppedReason=task.get("stoppedReason", reason),
        stoppingAt=task.get("stoppingAt", now),
        executionStoppedAt=now,
        stoppedAt=now,
    )


def _changed(task: Task, container: Task, **fields: Any) -> Task:
    containers = [task["containers"][0] | container]
    return task | fields | {"containers": containers, "version": task["version"] + 1}


def event(task: Task, now: float) -> dict[str, Any]:
    """The EventBridge event that says what a task has become."""
    times = {name: _iso(task[name]) for name in _TIMES if name in task}
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": _iso(now)[:19] + "Z",
        "region": task["taskArn"].split(":")[3],
        "resources": [task["taskArn"]],
        "detail": task | times | {"updatedAt": _iso(now)},
    }


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:23] + "Z"
