from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from local import ecs
from local.serve import free_port, running
from soulcaster.edges.tasks import TaskEnded, TaskError, TaskRefused, Tasks

DEFINITIONS = {"fix": {"containers": {"agent": {"command": ["sleep", "infinity"]}}}}
ENVIRONMENT = {"SOULCASTER_TICKET": "t", "SOULCASTER_API_URL": "http://a.example"}


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with running(ecs.app(tmp_path, DEFINITIONS, grace=0.1)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", url)
        yield url


@pytest.fixture
def tasks(url: str) -> Tasks:
    return of_definition("fix")


def of_definition(name: str) -> Tasks:
    return Tasks(
        cluster="agents",
        definition=name,
        container="agent",
        subnets=["subnet-a", "subnet-b"],
        security_groups=["sg-a"],
    )


def described(arn: str) -> dict[str, Any]:
    answer = boto3.client("ecs").describe_tasks(cluster="agents", tasks=[arn])
    return dict(answer["tasks"][0])


def plan(url: str, **faults: Any) -> None:
    """Have the next calls fail."""
    httpx.post(f"{url}/_local/faults", json=faults).raise_for_status()


def test_a_task_starts(tasks: Tasks) -> None:
    """With its environment, on Fargate, with a public address, and known by its job."""
    task = described(tasks.start("token", "job_larder_1/1", ENVIRONMENT))
    assert task["startedBy"] == "job_larder_1/1"
    assert task["launchType"] == "FARGATE"
    (override,) = task["overrides"]["containerOverrides"]
    given = {pair["name"]: pair["value"] for pair in override["environment"]}
    assert (override["name"], given) == ("agent", ENVIRONMENT)


def test_one_token_is_one_task(tasks: Tasks) -> None:
    """Asked twice, with the same words, there is one task."""
    first = tasks.start("token", "job_larder_1/1", ENVIRONMENT)
    assert tasks.start("token", "job_larder_1/1", ENVIRONMENT) == first
    assert tasks.start("other", "job_larder_1/2", ENVIRONMENT) != first


def test_a_lost_answer_starts_nothing_twice(url: str, tasks: Tasks) -> None:
    """When the first answer is lost the client asks again, and finds the same task."""
    plan(url, RunTask={"status": 500, "applied": True})
    arn = tasks.start("token", "job_larder_1/1", ENVIRONMENT)
    found = boto3.client("ecs").list_tasks(cluster="agents", startedBy="job_larder_1/1")
    assert found["taskArns"] == [arn]


def test_no_task_is_an_error(url: str, tasks: Tasks) -> None:
    """A 200 that holds failures and no task is not taken for a start; the reason is kept."""
    plan(url, RunTask={"failures": [{"arn": "a", "reason": "Capacity is unavailable"}]})
    with pytest.raises(TaskError, match="no task was started: Capacity is unavailable"):
        tasks.start("token", "job_larder_1/1", ENVIRONMENT)


@pytest.mark.parametrize(
    ("error", "message", "final"),
    [
        ("ThrottlingException", "Rate exceeded", False),
        ("ServerException", "no", False),
        ("ClientException", "Capacity is unavailable at this time", False),
        ("ClusterNotFoundException", "no", True),
        ("AccessDeniedException", "no", True),
    ],
)
def test_a_refusal_is_an_error(
    url: str, tasks: Tasks, error: str, message: str, final: bool
) -> None:
    """Whatever ECS refuses with is named, and whether asking again could help."""
    plan(url, RunTask={"error": error, "message": message, "times": 9})
    with pytest.raises(TaskError, match=error) as raised:
        tasks.start("token", "job_larder_1/1", ENVIRONMENT)
    assert isinstance(raised.value, TaskRefused) is final


def test_a_conflict_is_the_task_that_was_started(tasks: Tasks) -> None:
    """When a deployment has changed what a task is started with, the first one is the answer."""
    first = tasks.start("token", "job_larder_1/1", ENVIRONMENT)
    assert tasks.start("token", "job_larder_1/1", {**ENVIRONMENT, "NEW": "1"}) == first


def test_a_conflict_with_an_ended_task_is_its_end(tasks: Tasks) -> None:
    """There is none to adopt, and the token can't start another."""
    tasks.stop(tasks.start("token", "job_larder_1/1", ENVIRONMENT), "x")
    with pytest.raises(TaskEnded):
        tasks.start("token", "job_larder_1/1", {**ENVIRONMENT, "NEW": "1"})


def test_an_unknown_definition_is_an_error(url: str) -> None:
    """So is a definition that is not there, and an address where nobody listens."""
    with pytest.raises(TaskError, match="TaskDefinition not found"):
        of_definition("other").start("token", "job_larder_1/1", ENVIRONMENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_ECS", f"http://127.0.0.1:{free_port()}")
        nobody = of_definition("fix")
        with pytest.raises(TaskError, match="Could not connect"):
            nobody.start("token", "job_larder_1/1", ENVIRONMENT)
        with pytest.raises(TaskError, match="Could not connect"):
            nobody.stop("arn", "x")


def test_a_task_is_stopped(tasks: Tasks) -> None:
    """With the reason, cut to what ECS takes; stopping it again is fine."""
    arn = tasks.start("token", "job_larder_1/1", ENVIRONMENT)
    for _ in range(2):
        tasks.stop(arn, "silent " * 100)
    task = described(arn)
    assert task["desiredStatus"] == "STOPPED"
    assert task["stoppedReason"].startswith("silent silent")


def test_an_unknown_task_is_stopped_already(tasks: Tasks) -> None:
    """ECS forgets tasks an hour after they end."""
    tasks.stop("arn:aws:ecs:us-east-1:123456789012:task/agents/" + "0" * 32, "x")


def test_a_stop_that_fails_is_an_error(url: str, tasks: Tasks) -> None:
    """What can't be told from a running task is not taken for a stopped one."""
    plan(url, StopTask={"error": "ServerException", "message": "no", "times": 9})
    with pytest.raises(TaskError, match="ServerException"):
        tasks.stop("arn", "x")
