"""The receiver's handler in this process, for the many requests that a process of its own is slow
for. What it asks of the outside goes over the wires all the same.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
import receive

from local.lambdas.workers import environment
from tests.support import signing
from tests.support.signing import Answer
from tests.support.world import World

type Post = Callable[[str, bytes, Mapping[str, str]], Answer]


@contextmanager
def receiver(world: World) -> Iterator[Post]:
    """A new instance: what posts to the project's source of a kind a body with headers."""
    function = world.stack.functions["ReceiveFunction"]
    receive._store.cache_clear()
    receive._queue.cache_clear()

    def post(kind: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return signing.answered(receive.handler(signing.event(world, kind, body, headers), None))

    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(function, world.platform, "none").items():
            patch.setenv(name, value)
        yield post


def sent(world: World, post: Callable[[], Answer]) -> tuple[Answer, int]:
    """The answer, and how often the queue was asked for it."""
    with world.tap.recording() as calls:
        answer = post()
    return answer, sum(call.system == "sqs" for call in calls)
