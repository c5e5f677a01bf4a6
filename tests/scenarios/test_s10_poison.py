"""S10: a message that nobody can ever read."""

import os
import subprocess
import sys

import pytest

from tests.support import seeds, state
from tests.support.world import ROOT, World

POISON = '{"v": 1, "project": "larder", "what": "is this?"}'


def redrive(world: World, queue: str) -> subprocess.CompletedProcess[str]:
    """What ``make redrive`` runs, with the local queues in the place of AWS's."""
    environment = {**world.platform, "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "scripts/redrive.py", queue],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def buried(world: World) -> list[str]:
    """What lies in the dead-letter queue of feedback."""
    return state.snapshot(world).queues.get("FeedbackDeadLetters", [])


def test_s10_a_poison_message_is_buried_whole_and_alone_and_can_be_brought_back(
    world: World,
) -> None:
    """Received maxReceiveCount times, then dead; others are stored; redrive brings it back."""
    seeds.project(world)
    good = [seeds.delivery("standard", {"id": n, "title": f"Report {n}"}) for n in range(4)]
    world.send("FeedbackQueue", *good[:2], POISON, *good[2:])

    received = 0
    while delivery := world.deliver("FeedbackQueue"):
        assert not buried(world)
        assert delivery.result.error is None
        assert [message["Body"] for message in delivery.failed] == [POISON]
        received += 1

    assert received == 10, "maxReceiveCount of the template"
    assert buried(world) == [POISON]
    assert state.counts(world, seeds.PROJECT)["stored"] == "4"

    done = redrive(world, "FeedbackDeadLetters")
    assert (done.returncode, done.stderr) == (0, "")
    assert state.snapshot(world).queues == {"FeedbackQueue": [POISON]}


@pytest.mark.parametrize("queue", ["FeedbackDeadLetters", "the address"])
def test_s10_redrive_takes_a_logical_id_or_an_address(world: World, queue: str) -> None:
    """Either names the queue; its messages are in their source queue afterwards."""
    seeds.project(world)
    url = world.stack.queues["FeedbackDeadLetters"].url
    world.send("FeedbackQueue", POISON)
    while world.deliver("FeedbackQueue"):
        pass
    assert redrive(world, url if queue == "the address" else queue).returncode == 0
    assert state.snapshot(world).queues == {"FeedbackQueue": [POISON]}


@pytest.mark.parametrize("queue", ["DeadLetters", "Nothing", "", "FeedbackQueue"])
def test_s10_redrive_refuses_what_is_not_one_dead_letter_queue(world: World, queue: str) -> None:
    """A name of several, of none, or of a queue that holds no dead letters ends with status 1."""
    done = redrive(world, queue)
    assert done.returncode == 1
    assert done.stderr.startswith("redrive: ")
    assert "Traceback" not in done.stderr
