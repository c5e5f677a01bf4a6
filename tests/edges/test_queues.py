from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from local import sqs
from local.serve import free_port, running
from soulcaster.edges.queues import BATCH, Queue, QueueError


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with running(sqs.app(tmp_path)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
        yield url


@pytest.fixture
def address(url: str) -> str:
    """The address of an empty queue."""
    return str(boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"])


def received(address: str) -> list[str]:
    """All bodies in the queue."""
    client, bodies = boto3.client("sqs"), []
    while found := client.receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in found]
    return bodies


def plan(url: str, **faults: Any) -> None:
    """Have the next calls fail."""
    httpx.post(f"{url}/_local/faults", json=faults).raise_for_status()


def test_a_message_arrives(address: str) -> None:
    """The body comes out as it went in."""
    Queue(address).send("héllo 🙂")
    assert received(address) == ["héllo 🙂"]


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 3 * BATCH + 7])
def test_any_number_arrives(address: str, count: int) -> None:
    """Each message once, however many requests that takes."""
    Queue(address).send_all([f"m{n}" for n in range(count)])
    assert sorted(received(address)) == sorted(f"m{n}" for n in range(count))


def test_large_messages_are_sent_in_parts(address: str) -> None:
    """A request has a size limit, counted in bytes and not in characters."""
    bodies = [letter * 450_000 for letter in "abcde"] + ["é" * 450_000] * 3
    Queue(address).send_all(bodies)
    assert sorted(received(address)) == sorted(bodies)


def test_a_failure_for_now_is_tried_once_more(url: str, address: str) -> None:
    """A 5xx is repeated by the client, and the message is there."""
    plan(url, SendMessage={"status": 500})
    Queue(address).send("m")
    assert received(address) == ["m"]


def test_a_queue_that_fails_is_an_error(url: str, address: str) -> None:
    """Nobody is told that a message was taken when it was not."""
    plan(
        url,
        SendMessage={"status": 500, "times": 9},
        SendMessageBatch={"status": 503, "times": 9},
    )
    with pytest.raises(QueueError):
        Queue(address).send("m")
    with pytest.raises(QueueError):
        Queue(address).send_all(["m"])
    assert received(address) == []


def test_a_part_that_is_refused_is_an_error(address: str) -> None:
    """The answer may be a 200 and hold a refusal: then some are there, and it raises."""
    with pytest.raises(QueueError, match="1 of 2 refused"):
        Queue(address).send_all(["fine", "\x00"])
    assert received(address) == ["fine"]


def test_a_queue_that_is_not_there_is_an_error(url: str, address: str) -> None:
    """An unknown queue, and one at an address where nobody listens."""
    with pytest.raises(QueueError, match=r"QueueDoesNotExist|NonExistentQueue"):
        Queue(address + "x").send("m")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{free_port()}")
        with pytest.raises(QueueError, match="Could not connect"):
            Queue(address).send("m")
