"""What invokes a function without a caller who waits: schedules, the bus, retries."""

import json
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from local import serve
from local.lambdas import Runner, control
from local.lambdas.asynchronous import Asynchronous
from local.lambdas.schedules import Schedules, event
from local.lambdas.stack import Places, Schedule
from tests.local.emulated import options, until
from tests.local.lambdas_support import function, running

ARN = "arn:aws:events:us-east-1:123456789012:rule/S"


class AtOnce(Executor):
    """Runs everything in the thread that submits it."""

    def submit(self, call: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The outcome, already there."""
        done: Future[Any] = Future()
        done.set_result(call(*args, **kwargs))
        return done


def schedule(period: int, source: str = "aws.events", given: Any = None) -> Schedule:
    return Schedule("S", ARN, source, period, "F", given)


def test_a_schedule_fires_once_each_period() -> None:
    """First one period after the start, and once after a pause of several periods."""
    now = 100.0
    slow, fast = schedule(300), schedule(60)
    schedules = Schedules([slow, fast], lambda: now)
    assert (schedules.due(), schedules.wait()) == ([], 60)
    now = 160.0
    assert (schedules.due(), schedules.wait()) == ([fast], 60)
    assert schedules.due() == []
    now = 1000.0
    assert schedules.due() == [slow, fast]
    assert schedules.due() == []
    assert schedules.wait() == 60


def test_a_rate_keeps_its_beat() -> None:
    """A firing that comes late does not move the next one."""
    now = 0.0
    schedules = Schedules([schedule(60)], lambda: now)
    now = 70.0
    assert len(schedules.due()) == 1
    assert schedules.wait() == 50


@pytest.mark.parametrize(("source", "detail"), [("aws.events", {}), ("aws.scheduler", "{}")])
def test_a_schedules_event_is_the_services_own(source: str, detail: Any) -> None:
    """Without an input the function gets the event of EventBridge, or of its scheduler."""
    made = event(schedule(60, source), Places(), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert len(made.pop("id")) == 36
    assert made == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": source,
        "account": "123456789012",
        "time": "2026-01-02T03:04:05Z",
        "region": "us-east-1",
        "resources": [ARN],
        "detail": detail,
    }


def test_a_schedules_input_is_the_event() -> None:
    """A constant input replaces the service's event."""
    assert event(schedule(60, given={"a": 1}), Places(), datetime.now(UTC)) == {"a": 1}


NOTE = """
    import pathlib, json
    def handler(event, context):
        with pathlib.Path(__file__).with_suffix(".txt").open("a") as notes:
            notes.write(json.dumps([context.aws_request_id, event]) + "\\n")
        if "fail" in str(event):
            raise LookupError("failed")
        return {"seen": event}
"""


def notes(folder: Path) -> list[Any]:
    """What the function of NOTE was invoked with: pairs of request id and event."""
    file = folder / "functions/f/app.txt"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_failed_event_is_retried_twice_and_kept(tmp_path: Path) -> None:
    """Three attempts have the same request id; then the dead-letter queue gets the event."""
    queue = {"Type": "AWS::SQS::Queue"}
    dead = {"Type": "SQS", "TargetArn": {"Fn::GetAtt": "Dead.Arn"}}
    made = function(tmp_path, "f", NOTE, DeadLetterQueue=dead)
    kept: list[Any] = []
    with running(tmp_path, {"F": made, "Dead": queue}) as runner:
        asynchronous = Asynchronous(
            runner, AtOnce(), lambda arn, text: kept.append((arn, text)), delays=(0, 0)
        )
        asynchronous.invoke("F", "fail")
        until(lambda: kept)
    seen = notes(tmp_path)
    assert [given for _, given in seen] == ["fail"] * 3
    assert len({request_id for request_id, _ in seen}) == 1
    assert kept == [("arn:aws:sqs:us-east-1:123456789012:Dead", '"fail"')]


def test_an_on_failure_destination_gets_a_record(tmp_path: Path) -> None:
    """The template's retry attempts count, and the record wraps the event and its error."""
    config = {
        "MaximumRetryAttempts": 0,
        "DestinationConfig": {
            "OnFailure": {"Type": "SQS", "Destination": {"Fn::GetAtt": "Dead.Arn"}}
        },
    }
    made = function(tmp_path, "f", NOTE, EventInvokeConfig=config)
    kept: list[Any] = []
    with running(tmp_path, {"F": made, "Dead": {"Type": "AWS::SQS::Queue"}}) as runner:
        Asynchronous(runner, AtOnce(), lambda _, text: kept.append(json.loads(text))).invoke(
            "F", "fail"
        )
    (record,) = kept
    assert record["requestPayload"] == "fail"
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responsePayload"]["errorType"] == "LookupError"
    assert len(notes(tmp_path)) == 1


RULE = {
    "Type": "EventBridgeRule",
    "Properties": {
        "Pattern": {
            "source": ["aws.ecs"],
            "detail-type": ["ECS Task State Change"],
            "detail": {"group": [{"prefix": "family:fix"}]},
        }
    },
}


@contextmanager
def controlled(runner: Runner) -> Iterator[httpx.Client]:
    asynchronous = Asynchronous(runner, AtOnce(), lambda *_: None)
    with (
        serve.running(control.app(runner, asynchronous, AtOnce())) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        yield client


def test_an_event_reaches_the_rules_that_match(tmp_path: Path) -> None:
    """The function gets the event with what the bus adds; another event reaches nobody."""
    made = function(tmp_path, "f", NOTE, Events={"R": RULE})
    sent = {
        "source": "aws.ecs",
        "detail-type": "ECS Task State Change",
        "detail": {"group": "family:fix"},
    }
    with running(tmp_path, {"F": made}) as runner, controlled(runner) as client:
        assert client.post("/_local/events", json=sent | {"source": "x"}).json() == {"rules": []}
        answer = client.post("/_local/events", json=sent)
        assert (answer.status_code, answer.json()) == (202, {"rules": ["FR"]})
        assert client.post("/_local/events", json={"source": "x"}).status_code == 400
    ((_, seen),) = notes(tmp_path)
    assert sent.items() <= seen.items()
    assert {"version", "id", "account", "time", "region", "resources"} <= seen.keys()


def test_a_lambda_client_can_invoke(tmp_path: Path) -> None:
    """boto3 invokes through the control port, waiting or not, and sees function errors."""
    with (
        running(tmp_path, {"F": function(tmp_path, "f", NOTE)}) as runner,
        controlled(runner) as client,
    ):
        lambda_ = boto3.client("lambda", **options(str(client.base_url)))
        answer = lambda_.invoke(FunctionName="F", Payload=b'{"a": 1}')
        assert json.load(answer["Payload"]) == {"seen": {"a": 1}}
        failed = lambda_.invoke(FunctionName="F", Payload=b'"fail"')
        assert failed["FunctionError"] == "Unhandled"
        assert json.load(failed["Payload"])["errorType"] == "LookupError"
        sent = lambda_.invoke(FunctionName="F", Payload=b'"later"', InvocationType="Event")
        assert sent["StatusCode"] == 202
        with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
            lambda_.invoke(FunctionName="Nobody")
    assert [given for _, given in notes(tmp_path)] == [{"a": 1}, "fail", "later"]


def test_the_control_door_tells_what_runs(tmp_path: Path) -> None:
    """Instances and what invokes them are shown, and an invocation says how it went."""
    made = function(tmp_path, "f", NOTE, Events={"R": RULE})
    with running(tmp_path, {"F": made}) as runner, controlled(runner) as client:
        answer = client.post("/_local/invoke/F", json={"a": 1})
        assert (answer.status_code, answer.json()) == (200, {"seen": {"a": 1}})
        assert answer.headers["x-local-cold"] == "true"
        status = client.get("/_local/status").json()
    assert status["functions"] == {"F": {"idle": 1, "busy": 0}}
    assert [rule["id"] for rule in status["rules"]] == ["FR"]
