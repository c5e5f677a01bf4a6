"""Moves messages from queues to functions, one poller for each event source mapping."""

import math
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.lambdas import sqs_event
from local.lambdas.pool import ClosedError
from local.lambdas.runner import Runner, TooLargeError
from local.lambdas.stack import SqsMapping
from local.lambdas.threads import tell

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

PER_CALL = 10  # messages that one receive or delete takes
DEFAULT_CONCURRENCY = 2


class Poller:
    """Feeds one function from one queue until ``stop``.

    Holds no more batches than the mapping's maximum concurrency, as a message that
    waits here only loses its visibility time. ``wait`` is the long poll in seconds.
    """

    def __init__(
        self, mapping: SqsMapping, runner: Runner, client: "SQSClient", wait: int = 20
    ) -> None:
        self._mapping = mapping
        self._runner = runner
        self._client = client
        self._wait = wait
        self._queue = runner.stack.queues[mapping.queue]
        concurrency = min(mapping.concurrency or DEFAULT_CONCURRENCY, runner.concurrency)
        self._slots = threading.Semaphore(concurrency)
        self._executor = ThreadPoolExecutor(concurrency, thread_name_prefix=mapping.id)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=mapping.id)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return once nothing is received or delivered any more; a long poll ends first."""
        self._stopped.set()
        self._thread.join()
        self._executor.shutdown()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._slots.acquire()
            messages: list[MessageTypeDef] = []
            try:
                self._gather(messages)
            except (BotoCoreError, ClientError) as error:
                print(f"{self._mapping.id}: {error}", file=sys.stderr)
                self._stopped.wait(1)
            if messages:
                self._executor.submit(self._deliver_and_free, messages).add_done_callback(tell)
            else:
                self._slots.release()

    def _gather(self, messages: list["MessageTypeDef"]) -> None:
        """Add up to a batch of messages, waiting for more only within the batching window."""
        size, window = self._mapping.batch_size, self._mapping.window
        self._receive(messages, size, self._wait)
        end = time.monotonic() + window
        while messages and len(messages) < size and not self._stopped.is_set():
            remaining = end - time.monotonic()
            if remaining <= 0:
                break
            self._receive(messages, size, math.ceil(remaining))

    def _receive(self, messages: list["MessageTypeDef"], size: int, wait: int) -> None:
        answer = self._client.receive_message(
            QueueUrl=self._queue.url,
            MaxNumberOfMessages=min(PER_CALL, size - len(messages)),
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages += answer.get("Messages", [])

    def _deliver_and_free(self, messages: list["MessageTypeDef"]) -> None:
        try:
            self._deliver(messages)
        except ClosedError:
            return  # the messages come back when their visibility ends
        finally:
            self._slots.release()

    def _deliver(self, messages: list["MessageTypeDef"]) -> None:
        event = sqs_event.event(messages, self._queue.arn)
        try:
            result = self._runner.invoke(self._mapping.function, event)
        except TooLargeError:
            if len(messages) == 1:
                raise
            half = len(messages) // 2
            self._deliver(messages[:half])
            self._deliver(messages[half:])
            return
        done = sqs_event.done(messages, result, self._mapping.report_failures)
        for start in range(0, len(done), PER_CALL):
            self._delete(done[start : start + PER_CALL])

    def _delete(self, messages: list["MessageTypeDef"]) -> None:
        answer = self._client.delete_message_batch(
            QueueUrl=self._queue.url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ],
        )
        for failure in answer.get("Failed", []):
            print(f"{self._mapping.id}: not deleted: {failure}", file=sys.stderr)
