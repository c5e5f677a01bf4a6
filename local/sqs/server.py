"""The SQS emulator as an application: which calls there are and what they understand."""

import time
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette

from local.aws import Faults, Operation, calls_of, json_app
from local.sqs.account import Account
from local.sqs.message_calls import MessageCalls
from local.sqs.queue_calls import QueueCalls
from local.sqs.store import Store

_RECEIVE = """QueueUrl AttributeNames MessageSystemAttributeNames MessageAttributeNames
    MaxNumberOfMessages VisibilityTimeout WaitTimeSeconds"""
_SEND = "QueueUrl MessageBody DelaySeconds MessageAttributes"


def app(
    state: Path,
    *,
    region: str = "us-east-1",
    clock: Callable[[], float] = time.time,
    consumers_ended: bool = False,
) -> Starlette:
    """The emulator on the database in folder ``state``; ``clock`` gives unix seconds.

    ``consumers_ended``: nobody who received a message is still at work on it, so none has to
    wait for its visibility timeout.
    """
    account = Account(Store(state), region, clock)
    if consumers_ended:
        account.store.show_received(account.now())
    queues, messages = QueueCalls(account), MessageCalls(account)
    table: list[tuple[str, Operation, str]] = [
        ("CreateQueue", queues.create, "QueueName Attributes tags"),
        ("GetQueueUrl", queues.url, "QueueName QueueOwnerAWSAccountId"),
        ("GetQueueAttributes", queues.attributes, "QueueUrl AttributeNames"),
        ("SetQueueAttributes", queues.set_attributes, "QueueUrl Attributes"),
        ("ListQueues", queues.list, "QueueNamePrefix"),
        ("PurgeQueue", queues.purge, "QueueUrl"),
        ("StartMessageMoveTask", queues.start_move, "SourceArn DestinationArn"),
        ("ListMessageMoveTasks", queues.list_moves, "SourceArn MaxResults"),
        ("SendMessage", messages.send, _SEND),
        ("SendMessageBatch", messages.send_batch, "QueueUrl Entries"),
        ("ReceiveMessage", messages.receive, _RECEIVE),
        ("DeleteMessage", messages.delete, "QueueUrl ReceiptHandle"),
        ("DeleteMessageBatch", messages.delete_batch, "QueueUrl Entries"),
        ("ChangeMessageVisibility", messages.hide, "QueueUrl ReceiptHandle VisibilityTimeout"),
        ("ChangeMessageVisibilityBatch", messages.hide_batch, "QueueUrl Entries"),
    ]
    calls = calls_of(table)
    return json_app("sqs", "AmazonSQS", "1.0", calls, Faults("sqs", frozenset(calls)))
