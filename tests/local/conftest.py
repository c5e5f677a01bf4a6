"""What the tests of more than one emulator's file start from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import sqs as emulator
from local.serve import running
from tests.local import queues
from tests.local.emulated import Clock


@pytest.fixture
def clock() -> Clock:
    """The time as an emulator sees it."""
    return Clock()


@pytest.fixture
def sqs_url(tmp_path: Path, clock: Clock) -> Iterator[str]:
    """The address of an SQS without queues."""
    with running(emulator.app(tmp_path, clock=clock)) as url:
        yield url


@pytest.fixture
def sqs(sqs_url: str) -> Any:
    """A client of it."""
    return queues.client(sqs_url)


@pytest.fixture
def queue(sqs: Any) -> Any:
    """The address of a queue in it."""
    return sqs.create_queue(QueueName="main")["QueueUrl"]
