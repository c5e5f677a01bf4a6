"""What every SQS call works on: the queues of one account in one region, and a clock."""

import asyncio
from collections.abc import Callable

from local.aws import Args
from local.sqs import queue as rules
from local.sqs.errors import refusal, required
from local.sqs.queue import Queue
from local.sqs.store import Store


class Account:
    """``clock`` gives unix seconds."""

    def __init__(self, store: Store, region: str, clock: Callable[[], float]) -> None:
        self.store = store
        self.region = region
        self._clock = clock
        self._arrivals: dict[int, asyncio.Event] = {}

    def now(self) -> int:
        """Unix milliseconds."""
        return int(self._clock() * 1000)

    def arn(self, queue: Queue) -> str:
        return rules.arn(self.region, queue.name)

    def named(self, name: str) -> Queue:
        queue = self.store.find(name)
        if queue is None:
            raise refusal("QueueDoesNotExist", "The specified queue does not exist.")
        return queue

    def queue(self, args: Args) -> Queue:
        """The queue that a call's ``QueueUrl`` means, whatever host it names."""
        return self.named(required(args, "QueueUrl").rstrip("/").rpartition("/")[2])

    def wake(self, queue: Queue) -> None:
        """Let long polls look at the queue again."""
        self._arrivals.pop(queue.id, asyncio.Event()).set()

    async def arrival(self, queue: Queue, deadline: int) -> None:
        """Wait until the queue may have something to receive, or ``deadline``."""
        now = self.now()
        until = min(deadline, self.store.next_visible(queue, now) or deadline)
        arrived = self._arrivals.setdefault(queue.id, asyncio.Event())
        try:
            # A millisecond more, for a timer must not fire before the message shows.
            await asyncio.wait_for(arrived.wait(), (until - now + 1) / 1000)
        except TimeoutError:
            return
