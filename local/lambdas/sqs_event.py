"""SQS event source mappings: messages as an event, and the answer as what to delete."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from local.lambdas.runner import Result

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef


def event(messages: Sequence["MessageTypeDef"], queue_arn: str) -> dict[str, Any]:
    """The event of one batch."""
    return {"Records": [record(message, queue_arn) for message in messages]}


def record(message: "MessageTypeDef", queue_arn: str) -> dict[str, Any]:
    built = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    if "MD5OfMessageAttributes" in message:
        built["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return built


def attribute(value: "MessageAttributeValueOutputTypeDef") -> dict[str, Any]:
    built: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    if "StringValue" in value:
        built["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        built["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return built | {"dataType": value["DataType"]}


def done(
    messages: Sequence["MessageTypeDef"], result: Result, report_failures: bool
) -> list["MessageTypeDef"]:
    """The messages to delete: none after an error, else all but the failures reported.

    As Lambda reads a report: no list is success; an entry without the identifier of a
    message of this batch fails the batch whole.
    """
    if result.error is not None:
        return []
    payload = result.payload
    if not report_failures or payload is None:
        return list(messages)
    failures = payload.get("batchItemFailures") if isinstance(payload, dict) else None
    if failures is None:
        return list(messages)
    if not isinstance(failures, list):
        return []
    known = {message["MessageId"] for message in messages}
    failed = [f.get("itemIdentifier") if isinstance(f, dict) else None for f in failures]
    if any(not isinstance(id_, str) or id_ not in known for id_ in failed):
        return []
    return [message for message in messages if message["MessageId"] not in failed]
