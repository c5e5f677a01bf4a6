"""SQS."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

BATCH = 10
BATCH_BYTES = 1_000_000  # SQS takes 1 MiB a request


class QueueError(Exception):
    """The queue did not take the message, or did not say that it did."""


class Queue:
    """One queue to send to."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sqs = boto3.client(
            "sqs",
            config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2}),
        )

    def send(self, body: str, pause: int = 0) -> None:
        """Return only after the queue has the message; raises ``QueueError``.

        It is delivered ``pause`` seconds later, at most 900.
        """
        try:
            self._sqs.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=pause)
        except (BotoCoreError, ClientError) as error:
            raise QueueError(str(error)) from error

    def send_all(self, bodies: Sequence[str]) -> None:
        """Return only after the queue has every message; some may be there when it raises."""
        batch: list[SendMessageBatchRequestEntryTypeDef] = []
        size = 0
        for number, body in enumerate(bodies):
            length = len(body.encode())
            if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
                self._send(batch)
                batch, size = [], 0
            batch.append({"Id": str(number), "MessageBody": body})
            size += length
        if batch:
            self._send(batch)

    def _send(self, batch: "list[SendMessageBatchRequestEntryTypeDef]") -> None:
        try:
            answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=batch)
        except (BotoCoreError, ClientError) as error:
            raise QueueError(str(error)) from error
        if failed := answer.get("Failed"):
            raise QueueError(f"{len(failed)} of {len(batch)} refused: {failed[0].get('Message')}")
