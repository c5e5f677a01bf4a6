"""The SQS emulator, asked through boto3."""

import json
import socket
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.local.emulated import Clock
from tests.local.queues import client, count, receive

MIB = 1_048_576


def test_message_comes_back_whole(sqs: Any, queue: str) -> None:
    """Body, attributes, checksums and counters are those of the message that was sent."""
    attributes: dict[str, Any] = {
        "kind": {"DataType": "String", "StringValue": "sentry"},
        "size": {"DataType": "Number", "StringValue": "3"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(QueueUrl=queue, MessageBody="héllo 🙂", MessageAttributes=attributes)
    (message,) = receive(sqs, queue, MessageAttributeNames=["All"])
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "héllo 🙂"
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert abs(int(message["Attributes"]["SentTimestamp"]) / 1000 - time.time()) < 60


def test_attribute_checksum_is_the_published_one(sqs: Any, queue: str) -> None:
    """The digest of attributes equals one known from the vendor's own algorithm."""
    attributes: dict[str, Any] = {
        "timestamp": {"DataType": "Number", "StringValue": "1493147359900"}
    }
    sent = sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=attributes)
    assert sent["MD5OfMessageAttributes"] == "235c5c510d26fb653d073faed50ae77c"


def test_attributes_are_chosen_by_name_and_prefix(sqs: Any, queue: str) -> None:
    """Only the message attributes that were asked for come back."""
    value: Any = {"DataType": "String", "StringValue": "x"}
    attributes: dict[str, Any] = {"soul.id": value, "soul.kind": value, "other": value}
    sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=attributes)
    (first,) = receive(sqs, queue, MessageAttributeNames=["soul.*"], VisibilityTimeout=0)
    assert set(first["MessageAttributes"]) == {"soul.id", "soul.kind"}
    (second,) = receive(sqs, queue)
    assert "MessageAttributes" not in second


def test_create_is_idempotent_unless_an_attribute_differs(sqs: Any) -> None:
    """The same queue may be created again; with another attribute it is a conflict."""
    given = {"VisibilityTimeout": "180"}
    first = sqs.create_queue(QueueName="q", Attributes=given)
    assert sqs.create_queue(QueueName="q", Attributes=given)["QueueUrl"] == first["QueueUrl"]
    assert sqs.create_queue(QueueName="q")["QueueUrl"] == first["QueueUrl"]
    with pytest.raises(sqs.exceptions.QueueNameExists):
        sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "60"})


def test_attributes_are_shown_and_changed(sqs: Any, queue: str) -> None:
    """Defaults show, a change shows, and a value out of range is refused."""
    names = ["All"]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    assert found["VisibilityTimeout"] == "30"
    assert found["QueueArn"] == "arn:aws:sqs:us-east-1:123456789012:main"
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "5"})
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    assert found["VisibilityTimeout"] == "5"
    with pytest.raises(sqs.exceptions.InvalidAttributeValue):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "50000"})
    with pytest.raises(sqs.exceptions.InvalidAttributeName):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Colour": "red"})


def test_queues_are_found_by_name_and_prefix(sqs: Any, queue: str) -> None:
    """A queue's address comes from its name, and an unknown one is named as such."""
    assert sqs.get_queue_url(QueueName="main")["QueueUrl"] == queue
    assert sqs.list_queues(QueueNamePrefix="ma")["QueueUrls"] == [queue]
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="x")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as caught:
        sqs.get_queue_url(QueueName="nowhere")
    assert caught.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


def test_received_message_is_hidden_until_its_timeout(sqs: Any, queue: str, clock: Clock) -> None:
    """In flight it is not received again; after the timeout it is, with a higher count."""
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert len(receive(sqs, queue)) == 1
    assert receive(sqs, queue) == []
    assert count(sqs, queue) == (0, 1)
    clock.ahead = 31
    (again,) = receive(sqs, queue)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_stale_receipt_deletes_nothing(sqs: Any, queue: str) -> None:
    """A handle of an earlier receive is accepted and has no effect."""
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    (first,) = receive(sqs, queue, VisibilityTimeout=0)
    (second,) = receive(sqs, queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    assert count(sqs, queue) == (0, 1)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"])
    assert count(sqs, queue) == (0, 0)
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle="nonsense")


def test_visibility_is_changed_only_by_the_latest_receive(sqs: Any, queue: str) -> None:
    """Zero shows the message at once; then it is not in flight, and old handles fail."""
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    (first,) = receive(sqs, queue)
    handle = first["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    with pytest.raises(sqs.exceptions.MessageNotInflight):
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=9)
    assert len(receive(sqs, queue)) == 1
    with pytest.raises(ClientError, match="not available for visibility timeout change"):
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=9)


def test_delayed_message_shows_later(sqs: Any, queue: str, clock: Clock) -> None:
    """A delayed message is neither visible nor in flight before its time."""
    sqs.send_message(QueueUrl=queue, MessageBody="x", DelaySeconds=60)
    assert receive(sqs, queue) == []
    assert count(sqs, queue) == (0, 0)
    clock.ahead = 61
    assert len(receive(sqs, queue)) == 1


def test_batches_answer_each_entry(sqs: Any, queue: str) -> None:
    """Good entries take effect and bad ones are reported, for send, hide and delete."""
    entries = [{"Id": str(i), "MessageBody": f"m{i}"} for i in range(3)]
    bad = {"Id": "bad", "MessageBody": "\x00"}
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=[*entries, bad])
    assert [each["Id"] for each in answer["Successful"]] == ["0", "1", "2"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [
        ("bad", "InvalidMessageContents")
    ]
    messages = receive(sqs, queue)
    assert [message["Body"] for message in messages] == ["m0", "m1", "m2"]
    handles = [
        {"Id": str(i), "ReceiptHandle": each["ReceiptHandle"]} for i, each in enumerate(messages)
    ]
    hide = [handle | {"VisibilityTimeout": 100} for handle in handles]
    answer = sqs.change_message_visibility_batch(QueueUrl=queue, Entries=hide)
    assert len(answer["Successful"]) == 3
    bad = {"Id": "bad", "ReceiptHandle": "nonsense"}
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=[*handles, bad])
    assert (len(answer["Successful"]), len(answer["Failed"])) == (3, 1)
    assert count(sqs, queue) == (0, 0)


@pytest.mark.parametrize(
    ("ids", "error"),
    [
        ([], "EmptyBatchRequest"),
        (["a", "a"], "BatchEntryIdsNotDistinct"),
        (["a b"], "InvalidBatchEntryId"),
        ([str(i) for i in range(11)], "TooManyEntriesInBatchRequest"),
    ],
)
def test_malformed_batch_is_refused_whole(sqs: Any, queue: str, ids: list[str], error: str) -> None:
    """A batch with wrong ids or a wrong count stores nothing."""
    entries = [{"Id": each, "MessageBody": "x"} for each in ids]
    with pytest.raises(getattr(sqs.exceptions, error)):
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert count(sqs, queue) == (0, 0)


def test_size_limit_counts_bytes_of_message_and_batch(sqs: Any, queue: str) -> None:
    """1 MiB passes and a byte more does not, alone or as the sum of a batch."""
    sqs.send_message(QueueUrl=queue, MessageBody="x" * MIB)
    with pytest.raises(ClientError) as caught:
        sqs.send_message(QueueUrl=queue, MessageBody="é" + "x" * (MIB - 1))
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
    halves = [{"Id": i, "MessageBody": "x" * (MIB // 2)} for i in "ab"]
    sqs.send_message_batch(QueueUrl=queue, Entries=halves)
    halves[1]["MessageBody"] += "x"
    with pytest.raises(sqs.exceptions.BatchRequestTooLong):
        sqs.send_message_batch(QueueUrl=queue, Entries=halves)
    assert count(sqs, queue) == (3, 0)


def test_long_poll_ends_when_a_message_is_sent(sqs_url: str, sqs: Any, queue: str) -> None:
    """A waiting receive gets a message that another client sends meanwhile."""
    got: list[Any] = []
    waiting = threading.Thread(
        target=lambda: got.extend(receive(client(sqs_url), queue, WaitTimeSeconds=20))
    )
    waiting.start()
    sqs.send_message(QueueUrl=queue, MessageBody="late")
    waiting.join(10)
    assert [message["Body"] for message in got] == ["late"]


def test_long_poll_sees_a_message_reappear(sqs: Any, queue: str) -> None:
    """A waiting receive gets a message whose visibility timeout ends meanwhile."""
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert receive(sqs, queue, VisibilityTimeout=1)
    (again,) = receive(sqs, queue, WaitTimeSeconds=20)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_poll_of_a_gone_client_takes_nothing(sqs_url: str, sqs: Any, queue: str) -> None:
    """A message sent after a waiting client has gone stays visible for others."""

    def call(operation: str, body: dict[str, object]) -> bytes:
        content = json.dumps(body)
        return (
            f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.{operation}\r\n"
            "Authorization: AWS4-HMAC-SHA256 x\r\n"
            f"Content-Length: {len(content)}\r\n\r\n{content}"
        ).encode()

    with socket.create_connection(("127.0.0.1", httpx.URL(sqs_url).port or 0)) as gone:
        gone.sendall(call("ListQueues", {}))
        assert gone.recv(9_999).startswith(b"HTTP/1.1 200")
        gone.sendall(call("ReceiveMessage", {"QueueUrl": queue, "WaitTimeSeconds": 20}))
        # A whole call on another connection: by its answer the poll before it waits.
        assert count(sqs, queue) == (0, 0)
    assert count(sqs, queue) == (0, 0)
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert len(receive(sqs, queue, WaitTimeSeconds=1)) == 1


def test_old_messages_expire_and_purge_empties(sqs: Any, clock: Clock) -> None:
    """Nothing outlives the retention period, nor a purge."""
    given = {"MessageRetentionPeriod": "60"}
    queue = sqs.create_queue(QueueName="q", Attributes=given)["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="old")
    clock.ahead = 61
    assert count(sqs, queue) == (0, 0)
    assert receive(sqs, queue) == []
    sqs.send_message(QueueUrl=queue, MessageBody="new")
    sqs.purge_queue(QueueUrl=queue)
    assert count(sqs, queue) == (0, 0)


def test_receive_reads_the_index(tmp_path: Path, sqs_url: str, queue: str, sqs: Any) -> None:
    """A receive finds its messages through (queue, visible_at), without sorting the backlog."""
    with sqlite3.connect(tmp_path / "sqs.sqlite3") as database:
        plan = database.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM messages WHERE queue = 1 AND visible_at <= 5"
            " ORDER BY visible_at, id"
        ).fetchall()
    assert "by_visibility (queue=? AND visible_at<?)" in str(plan)
    assert "TEMP B-TREE" not in str(plan)
