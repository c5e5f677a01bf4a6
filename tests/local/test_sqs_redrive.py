"""How dead letters leave a queue of the SQS emulator and come back."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.queues import count, receive


def with_dead_letters(sqs: Any, limit: int) -> tuple[str, str, str]:
    """A queue and its dead-letter queue, and the latter's ARN."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    policy = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": limit}
    queue = sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": json.dumps(policy)})
    return queue["QueueUrl"], dead, arn["QueueArn"]


def test_exhausted_message_moves_whole_to_the_dead_letter_queue(sqs: Any) -> None:
    """After maxReceiveCount receives the next one moves it, with its id, age and attributes."""
    queue, dead, _ = with_dead_letters(sqs, limit=2)
    attributes = {"kind": {"DataType": "String", "StringValue": "sentry"}}
    sqs.send_message(QueueUrl=queue, MessageBody="poison", MessageAttributes=attributes)
    first, second = (receive(sqs, queue, VisibilityTimeout=0)[0] for _ in range(2))
    assert receive(sqs, dead) == []
    assert receive(sqs, queue) == []
    (buried,) = receive(sqs, dead, MessageAttributeNames=["All"])
    assert (buried["MessageId"], buried["Body"]) == (first["MessageId"], "poison")
    assert buried["MessageAttributes"] == attributes
    assert buried["Attributes"]["SentTimestamp"] == first["Attributes"]["SentTimestamp"]
    assert buried["Attributes"]["ApproximateReceiveCount"] == "3"
    assert buried["Attributes"]["DeadLetterQueueSourceArn"].endswith(":q")
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"])
    assert count(sqs, dead) == (0, 1)


def test_good_messages_pass_exhausted_ones(sqs: Any) -> None:
    """A receive that moves poison still fills itself from what lies behind it."""
    queue, dead, _ = with_dead_letters(sqs, limit=1)
    for body in ("poison 1", "poison 2"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert len(receive(sqs, queue, VisibilityTimeout=0)) == 2
    sqs.send_message(QueueUrl=queue, MessageBody="good")
    assert [message["Body"] for message in receive(sqs, queue)] == ["good"]
    assert count(sqs, dead) == (2, 0)


def test_move_task_sends_dead_letters_back_afresh(sqs: Any) -> None:
    """They return to their source queue as new messages that can be received again."""
    queue, dead, arn = with_dead_letters(sqs, limit=1)
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    (first,) = receive(sqs, queue, VisibilityTimeout=0)
    assert receive(sqs, queue) == []
    assert sqs.start_message_move_task(SourceArn=arn)["TaskHandle"]
    (again,) = receive(sqs, queue)
    assert again["Attributes"]["ApproximateReceiveCount"] == "1"
    assert again["MessageId"] != first["MessageId"]
    assert count(sqs, dead) == (0, 0)
    (task,) = sqs.list_message_move_tasks(SourceArn=arn)["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)


def test_move_task_starts_only_from_a_dead_letter_queue(sqs: Any) -> None:
    """A queue that is nobody's dead-letter queue can't be a source."""
    sqs.create_queue(QueueName="main")
    with pytest.raises(ClientError, match="Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn="arn:aws:sqs:us-east-1:123456789012:main")
    with pytest.raises(sqs.exceptions.ResourceNotFoundException):
        sqs.start_message_move_task(SourceArn="arn:aws:sqs:us-east-1:123456789012:none")


def test_redrive_needs_an_existing_target(sqs: Any) -> None:
    """A policy that points nowhere is refused when it is set, not when it is needed."""
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:no", "maxReceiveCount": 3}
    with pytest.raises(ClientError, match="Dead letter target does not exist"):
        sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": json.dumps(policy)})
