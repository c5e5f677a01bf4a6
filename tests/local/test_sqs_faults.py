"""What the SQS emulator refuses, the faults it can be told to have, and its death."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.local.emulated import process
from tests.local.queues import client, count, receive


def test_unsigned_and_unknown_calls_are_refused(sqs_url: str, sqs: Any, queue: str) -> None:
    """No signature is 403, and what is not emulated is a 501 that names it."""
    target = {"X-Amz-Target": "AmazonSQS.ListQueues"}
    answer = httpx.post(sqs_url, headers=target, json={})
    assert (answer.status_code, answer.json()["__type"]) == (403, "MissingAuthenticationToken")
    with pytest.raises(ClientError, match=r"AmazonSQS\.TagQueue is not emulated"):
        sqs.tag_queue(QueueUrl=queue, Tags={"a": "b"})
    with pytest.raises(ClientError, match="MessageGroupId is not emulated"):
        sqs.send_message(QueueUrl=queue, MessageBody="x", MessageGroupId="g")


def test_planned_faults_fail_calls_in_order(sqs_url: str, sqs: Any, queue: str) -> None:
    """The queue can refuse a number of times, lose an answer, and then works again."""
    plan = {"SendMessage": [{"times": 2, "status": 500}, {"status": 503, "applied": True}]}
    assert httpx.post(f"{sqs_url}/_local/faults", json=plan).status_code == 200
    for _ in range(3):
        with pytest.raises(ClientError):
            sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert count(sqs, queue) == (1, 0)
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert count(sqs, queue) == (2, 0)
    wrong = httpx.post(f"{sqs_url}/_local/faults", json={"Sendmessage": {"status": 500}})
    assert wrong.status_code == 400


def test_planned_hang_never_answers(sqs_url: str, queue: str, sqs: Any) -> None:
    """A call that hangs ends by the client's own timeout, without effect."""
    httpx.post(f"{sqs_url}/_local/faults", json={"SendMessage": {"hang": True}})
    with pytest.raises(ReadTimeoutError):
        client(sqs_url, read_timeout=0.2).send_message(QueueUrl=queue, MessageBody="x")
    assert count(sqs, queue) == (0, 0)


def test_messages_survive_a_killed_process(tmp_path: Path) -> None:
    """What was accepted is there after kill -9, and so is what was in flight."""
    with process("local.sqs", "--state", str(tmp_path)) as (url, emulator):
        sqs = client(url)
        queue = sqs.create_queue(QueueName="main")["QueueUrl"]
        for body in ("in flight", "waiting"):
            sqs.send_message(QueueUrl=queue, MessageBody=body)
        held = sqs.receive_message(QueueUrl=queue)["Messages"][0]
        emulator.kill()
        emulator.wait()
    with process("local.sqs", "--state", str(tmp_path)) as (url, _):
        sqs = client(url)
        assert [message["Body"] for message in receive(sqs, queue)] == ["waiting"]
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=held["ReceiptHandle"])
        assert count(sqs, queue) == (0, 1)
