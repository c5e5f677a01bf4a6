"""Event source mappings between the SQS emulator and real functions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local import serve, sqs
from local.lambdas import Places, Result, Runner, load, provision
from local.lambdas.pollers import Poller
from local.lambdas.sqs_event import done
from tests.local.emulated import Clock, until
from tests.local.lambdas_support import function, project
from tests.local.queues import client, count, receive

VISIBILITY = 120
TAKE = """
    import json, pathlib
    def handler(event, context):
        with pathlib.Path(__file__).with_suffix(".txt").open("a") as notes:
            notes.write(json.dumps(event["Records"]) + "\\n")
        bodies = {r["messageId"]: r["body"] for r in event["Records"]}
        if "raise" in bodies.values():
            raise LookupError("raised")
        return {
            "batchItemFailures": [
                {"itemIdentifier": id_} for id_, body in bodies.items() if body.startswith("bad")
            ]
        }
"""


class Polled:
    """A function that a queue feeds; its messages are dead after two tries."""

    def __init__(self, folder: Path, url: str, **mapping: Any) -> None:
        source = {"Queue": {"Fn::GetAtt": "Jobs.Arn"}, **mapping}
        events = {"Jobs": {"Type": "SQS", "Properties": source}}
        redrive = {"deadLetterTargetArn": {"Fn::GetAtt": "Dead.Arn"}, "maxReceiveCount": 2}
        jobs = {"VisibilityTimeout": VISIBILITY, "RedrivePolicy": redrive}
        resources = {
            "F": function(folder, "f", TAKE, Events=events),
            "Jobs": {"Type": "AWS::SQS::Queue", "Properties": jobs},
            "Dead": {"Type": "AWS::SQS::Queue"},
        }
        self.stack = load(project(folder, resources), {}, Places(sqs_url=url))
        self.jobs, self.dead = (self.stack.queues[name].url for name in ("Jobs", "Dead"))
        self.sqs = client(url)
        self._notes = folder / "functions/f/app.txt"
        provision.queues(self.stack, self.sqs)

    def send(self, *bodies: str) -> None:
        """Put messages on the queue, each with an attribute."""
        attributes = {"kind": {"DataType": "String", "StringValue": "test"}}
        for start in range(0, len(bodies), 10):
            self.sqs.send_message_batch(
                QueueUrl=self.jobs,
                Entries=[
                    {"Id": str(n), "MessageBody": body, "MessageAttributes": attributes}
                    for n, body in enumerate(bodies[start : start + 10])
                ],
            )

    def batches(self) -> list[list[Any]]:
        """The records of each invocation so far."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        return [json.loads(line) for line in lines]


@contextmanager
def polling(polled: Polled, logs: Path) -> Iterator[None]:
    (mapping,) = polled.stack.sqs_mappings
    with Runner(polled.stack, {}, logs) as runner:
        poller = Poller(mapping, runner, polled.sqs, wait=1)
        poller.start()
        yield
        poller.stop()


@pytest.fixture
def url(tmp_path: Path, clock: Clock) -> Iterator[str]:
    with serve.running(sqs.app(tmp_path / "sqs", clock=clock)) as address:
        yield address


@pytest.fixture
def clock() -> Clock:
    return Clock()


REPORTING = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def test_messages_arrive_as_lambdas_event_and_are_deleted(tmp_path: Path, url: str) -> None:
    """The record has every field of the service's, and nothing stays on the queue."""
    polled = Polled(tmp_path, url, **REPORTING)
    polled.send("good")
    with polling(polled, tmp_path):
        until(polled.batches)
        until(lambda: count(polled.sqs, polled.jobs) == (0, 0))
    ((record,),) = polled.batches()
    assert record.pop("messageId")
    assert record.pop("receiptHandle")
    assert record.pop("md5OfMessageAttributes")
    attributes = record.pop("attributes")
    assert attributes["ApproximateReceiveCount"] == "1"
    assert {"SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} <= attributes.keys()
    assert record == {
        "body": "good",
        "messageAttributes": {
            "kind": {
                "stringValue": "test",
                "dataType": "String",
                "stringListValues": [],
                "binaryListValues": [],
            }
        },
        "md5OfBody": "755f85c2723bb39381c7379a604160d8",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:Jobs",
        "awsRegion": "us-east-1",
    }


def test_what_fails_goes_to_the_dead_letter_queue_alone(
    tmp_path: Path, url: str, clock: Clock
) -> None:
    """Of a batch with one failure reported, that one is tried again and then set aside."""
    polled = Polled(tmp_path, url, **REPORTING)
    polled.send("good 1", "bad", "good 2")
    with polling(polled, tmp_path):
        until(lambda: count(polled.sqs, polled.jobs) == (0, 1))
        clock.ahead += VISIBILITY
        until(lambda: len(polled.batches()) == 2)
        clock.ahead += VISIBILITY
        until(lambda: count(polled.sqs, polled.dead) == (1, 0))
    bodies = [record["body"] for batch in polled.batches() for record in batch]
    assert sorted(bodies) == ["bad", "bad", "good 1", "good 2"]
    assert [message["Body"] for message in receive(polled.sqs, polled.dead)] == ["bad"]


def test_an_error_keeps_the_whole_batch(tmp_path: Path, url: str, clock: Clock) -> None:
    """When the function raises, nothing of its batch is deleted."""
    polled = Polled(tmp_path, url, **REPORTING)
    polled.send("raise", "good")
    with polling(polled, tmp_path):
        until(polled.batches)
        clock.ahead += VISIBILITY
        until(lambda: len(polled.batches()) == 2)
        clock.ahead += VISIBILITY
        until(lambda: count(polled.sqs, polled.dead) == (2, 0))


def test_a_batching_window_gathers_more_than_ten(tmp_path: Path, url: str) -> None:
    """A batch above ten takes several receives and is one invocation."""
    polled = Polled(tmp_path, url, BatchSize=25, MaximumBatchingWindowInSeconds=1)
    polled.send(*map(str, range(25)))
    with polling(polled, tmp_path):
        until(lambda: count(polled.sqs, polled.jobs) == (0, 0))
    (batch,) = polled.batches()
    assert sorted(int(record["body"]) for record in batch) == list(range(25))


def test_a_batch_above_lambdas_limit_is_split(tmp_path: Path, url: str) -> None:
    """Messages that together exceed 6 MB reach the function in several events."""
    polled = Polled(tmp_path, url)
    for _ in range(8):
        polled.send("x" * 1_000_000)
    with polling(polled, tmp_path):
        until(lambda: count(polled.sqs, polled.jobs) == (0, 0))
    assert sum(len(batch) for batch in polled.batches()) == 8


@pytest.mark.parametrize(
    ("payload", "error", "left"),
    [
        (None, None, ""),
        ("done", None, ""),
        ({}, None, ""),
        ({"batchItemFailures": []}, None, ""),
        ({"batchItemFailures": None}, None, ""),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, None, "b"),
        ({"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "b"}]}, None, "b"),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, None, "ab"),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, None, "ab"),
        ({"batchItemFailures": [{"itemIdentifier": "z"}]}, None, "ab"),
        ({"batchItemFailures": [{"id": "a"}]}, None, "ab"),
        ({"batchItemFailures": ["a"]}, None, "ab"),
        ({"batchItemFailures": "a"}, None, "ab"),
        ({"errorType": "LookupError"}, "Unhandled", "ab"),
    ],
)
def test_a_report_is_read_as_lambda_reads_it(payload: Any, error: str | None, left: str) -> None:
    """An empty report is success; an identifier that is not of the batch fails all of it."""
    messages: Any = [{"MessageId": "a"}, {"MessageId": "b"}]
    result = Result(payload, error, cold=False, init_ms=0, duration_ms=0)
    deleted = {message["MessageId"] for message in done(messages, result, report_failures=True)}
    assert {"a", "b"} - deleted == set(left)


def test_without_reporting_an_answer_means_success() -> None:
    """A report that the mapping doesn't ask for is not read."""
    messages: Any = [{"MessageId": "a"}]
    report = {"batchItemFailures": [{"itemIdentifier": "a"}]}
    result = Result(report, None, cold=False, init_ms=0, duration_ms=0)
    assert done(messages, result, report_failures=False) == messages
