"""The ECS emulator, asked through boto3: tasks and how they are run."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from local.ecs import app
from local.serve import running
from tests.local.emulated import options, until

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
SHOW = "import json, os; print(json.dumps([dict(os.environ), os.getcwd()]))"
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(600)"
)
# Leaves a process of another session behind, and says which.
ORPHAN = (
    "import subprocess; child = subprocess.Popen(['sleep', '600'], start_new_session=True);"
    "print(child.pid, flush=True)"
)


def python(code: str) -> dict[str, Any]:
    return {"containers": {"agent": {"command": [sys.executable, "-c", code]}}}


DEFINITIONS: dict[str, Any] = {
    "long": {"containers": {"agent": {"command": ["sleep", "600"]}}},
    "arn:aws:ecs:us-east-1:123456789012:task-definition/short:7": python("print('hello')"),
    "seven": python("raise SystemExit(7)"),
    "deaf": python(DEAF),
    "orphan": python(ORPHAN),
    "nothing": {"containers": {"agent": {"command": ["no-such-program"]}}},
    "show": {
        "containers": {
            "agent": {
                "command": [sys.executable, "-c", SHOW],
                "environment": {"MODE": "own", "SOULCASTER_API_URL": "http://own"},
            }
        }
    },
}


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with running(app(tmp_path, DEFINITIONS, grace=0.2)) as url:
        yield url


@pytest.fixture
def ecs(url: str) -> Any:
    return boto3.client("ecs", **options(url))


def run(ecs: Any, definition: str, **given: Any) -> Any:
    return ecs.run_task(
        cluster="soulcaster",
        taskDefinition=definition,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        **given,
    )


def described(ecs: Any, task: Any) -> Any:
    found = ecs.describe_tasks(cluster="soulcaster", tasks=[task["taskArn"]])
    return found["tasks"][0]


def reaches(ecs: Any, task: Any, status: str) -> Any:
    """The task once it has a status."""

    def ask() -> Any:
        found = described(ecs, task)
        return found if found["lastStatus"] == status else None

    return until(ask)


def log(folder: Path, task: Any) -> str:
    return (folder / "logs" / f"{task['taskArn'].rpartition('/')[2]}.log").read_text()


def overriding(**environment: str) -> dict[str, Any]:
    pairs = [{"name": name, "value": value} for name, value in environment.items()]
    return {"containerOverrides": [{"name": "agent", "environment": pairs}]}


def test_task_runs_to_its_end(ecs: Any, tmp_path: Path) -> None:
    """A task starts provisioning, runs its command and stops with the exit code."""
    (task,) = run(ecs, "short", startedBy="job-1")["tasks"]
    assert (task["lastStatus"], task["desiredStatus"]) == ("PROVISIONING", "RUNNING")
    assert task["taskDefinitionArn"].endswith("task-definition/short:7")
    stopped = reaches(ecs, task, "STOPPED")
    assert stopped["containers"][0]["exitCode"] == 0
    assert stopped["stopCode"] == "EssentialContainerExited"
    assert stopped["startedBy"] == "job-1"
    assert stopped["version"] == 3
    assert log(tmp_path, task) == "hello\n"


def test_exit_code_is_the_commands(ecs: Any) -> None:
    """What the command exits with is what is reported."""
    (task,) = run(ecs, "seven")["tasks"]
    assert reaches(ecs, task, "STOPPED")["containers"][0]["exitCode"] == 7


def test_task_sees_only_its_own_environment(
    ecs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Definition, overrides, PATH, HOME and LANG are all there is; HOME is the empty folder."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the emulator's own")
    given = overriding(SOULCASTER_API_URL="http://over", SOULCASTER_TICKET="t")
    (task,) = run(ecs, "show", overrides=given)["tasks"]
    reaches(ecs, task, "STOPPED")
    environment, folder = json.loads(log(tmp_path, task))
    # What Python itself adds.
    environment.pop("LC_CTYPE", None)
    assert environment == {
        "PATH": os.environ["PATH"],
        "HOME": folder,
        "LANG": "C.UTF-8",
        "MODE": "own",
        "SOULCASTER_API_URL": "http://over",
        "SOULCASTER_TICKET": "t",
    }
    assert not Path(folder).exists()


def test_stopped_task_ends_at_sigterm(ecs: Any) -> None:
    """StopTask ends the command and keeps the reason it was given."""
    (task,) = run(ecs, "long")["tasks"]
    reaches(ecs, task, "RUNNING")
    answer = ecs.stop_task(cluster="soulcaster", task=task["taskArn"], reason="cancelled")
    assert answer["task"]["desiredStatus"] == "STOPPED"
    stopped = reaches(ecs, task, "STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "cancelled")
    assert stopped["containers"][0]["exitCode"] == 143
    again = ecs.stop_task(cluster="soulcaster", task=task["taskArn"], reason="later")
    assert again["task"]["stoppedReason"] == "cancelled"


def test_deaf_task_is_killed_after_the_grace(ecs: Any, tmp_path: Path) -> None:
    """Who ignores SIGTERM ends by SIGKILL."""
    (task,) = run(ecs, "deaf")["tasks"]
    reaches(ecs, task, "RUNNING")
    until(lambda: log(tmp_path, task) == "deaf\n")
    ecs.stop_task(cluster="soulcaster", task=task["taskArn"])
    assert reaches(ecs, task, "STOPPED")["containers"][0]["exitCode"] == 137


@pytest.mark.skipif(sys.platform != "linux", reason="needs a child subreaper")
def test_nothing_outlives_its_task(ecs: Any, tmp_path: Path) -> None:
    """A process that a task left in another session ends with the task."""
    (task,) = run(ecs, "orphan")["tasks"]
    reaches(ecs, task, "STOPPED")
    assert not Path(f"/proc/{int(log(tmp_path, task))}").exists()


def test_task_that_cannot_start_says_so(ecs: Any) -> None:
    """Without a program there is no exit code but a reason."""
    (task,) = run(ecs, "nothing")["tasks"]
    stopped = reaches(ecs, task, "STOPPED")
    assert stopped["stopCode"] == "TaskFailedToStart"
    assert "CannotStartContainerError" in stopped["stoppedReason"]
    assert "exitCode" not in stopped["containers"][0]


def test_client_token_makes_one_task(ecs: Any) -> None:
    """The same call again gets the same task; with other parameters it is a conflict."""
    given = {"clientToken": "job-1-1", "overrides": overriding(SOULCASTER_TICKET="t")}
    (first,) = run(ecs, "long", **given)["tasks"]
    (again,) = run(ecs, "long", **given)["tasks"]
    assert again["taskArn"] == first["taskArn"]
    with pytest.raises(ecs.exceptions.ConflictException) as caught:
        run(ecs, "long", **given | {"overrides": overriding(SOULCASTER_TICKET="u")})
    assert caught.value.response["resourceIds"] == [first["taskArn"]]
    (other,) = run(ecs, "long", **given | {"clientToken": "job-1-2"})["tasks"]
    assert other["taskArn"] != first["taskArn"]
    assert len(ecs.list_tasks(cluster="soulcaster")["taskArns"]) == 2


def test_tasks_are_listed_by_what_they_are(ecs: Any) -> None:
    """Filters and pages together name every task once."""
    tasks = run(ecs, "long", count=3, startedBy="a")["tasks"]
    (other,) = run(ecs, "deaf", startedBy="b")["tasks"]
    arns = [task["taskArn"] for task in tasks]
    pages = ecs.get_paginator("list_tasks").paginate(
        cluster="soulcaster", family="long", PaginationConfig={"PageSize": 2}
    )
    assert [arn for page in pages for arn in page["taskArns"]] == arns
    found = ecs.list_tasks(cluster="soulcaster", startedBy="b")
    assert found["taskArns"] == [other["taskArn"]]
    assert ecs.list_tasks(cluster="another")["taskArns"] == []
    ecs.stop_task(cluster="soulcaster", task=other["taskArn"])
    found = ecs.list_tasks(cluster="soulcaster", desiredStatus="STOPPED")
    assert found["taskArns"] == [other["taskArn"]]


def test_unknown_tasks_and_definitions_are_named(ecs: Any) -> None:
    """What is missing is a failure in DescribeTasks and an error elsewhere."""
    missing = ecs.describe_tasks(cluster="soulcaster", tasks=["0" * 32])
    assert (missing["tasks"], missing["failures"][0]["reason"]) == ([], "MISSING")
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        ecs.stop_task(cluster="soulcaster", task="0" * 32)
    with pytest.raises(ecs.exceptions.ClientException, match="TaskDefinition not found"):
        run(ecs, "unknown")


def test_wrong_calls_start_nothing(ecs: Any) -> None:
    """No network, a wrong container, too much to override: refused as the vendor does."""
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="Network"):
        ecs.run_task(cluster="soulcaster", taskDefinition="long", launchType="FARGATE")
    wrong = {"containerOverrides": [{"name": "web", "environment": []}]}
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="web"):
        run(ecs, "long", overrides=wrong)
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="8192"):
        run(ecs, "long", overrides=overriding(LONG="x" * 8192))
    with pytest.raises(ClientError, match="not emulated"):
        run(ecs, "long", enableExecuteCommand=True)
    assert ecs.list_tasks(cluster="soulcaster")["taskArns"] == []


def test_planned_faults_come_in_order(ecs: Any, url: str) -> None:
    """No capacity, throttling, a container that can't be pulled, a lost answer, then all well."""
    plan = {
        "RunTask": [
            {"failures": [{"reason": "RESOURCE:MEMORY"}]},
            {"error": "ThrottlingException"},
            {"start": "CannotPullContainerError: no such image"},
            {"status": 500, "applied": True},
        ]
    }
    httpx.post(f"{url}/_local/faults", json=plan).raise_for_status()
    answer = run(ecs, "long")
    assert (answer["tasks"], answer["failures"][0]["reason"]) == ([], "RESOURCE:MEMORY")
    with pytest.raises(ClientError, match="ThrottlingException"):
        run(ecs, "long")
    (task,) = run(ecs, "long")["tasks"]
    stopped = reaches(ecs, task, "STOPPED")
    assert stopped["stoppedReason"] == "CannotPullContainerError: no such image"
    with pytest.raises(ClientError):
        run(ecs, "long", clientToken="once")
    (again,) = run(ecs, "long", clientToken="once")["tasks"]
    assert ecs.list_tasks(cluster="soulcaster")["taskArns"] == [again["taskArn"]]
