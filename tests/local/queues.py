"""What the tests of the SQS emulator ask again and again."""

from typing import Any

import boto3

from tests.local.emulated import options


def client(url: str, **config: Any) -> Any:
    """A boto3 client of the emulator at ``url``."""
    return boto3.client("sqs", **options(url, **config))


def receive(sqs: Any, queue: str, **given: Any) -> list[Any]:
    """Up to ten messages with their system attributes."""
    names = ["All"]
    answer: dict[str, list[Any]] = sqs.receive_message(
        QueueUrl=queue, MessageSystemAttributeNames=names, MaxNumberOfMessages=10, **given
    )
    return answer.get("Messages", [])


def count(sqs: Any, queue: str) -> tuple[int, int]:
    """How many messages are visible and how many are in flight."""
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    visible = found["ApproximateNumberOfMessages"]
    return int(visible), int(found["ApproximateNumberOfMessagesNotVisible"])
