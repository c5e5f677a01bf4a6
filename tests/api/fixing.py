"""What the tests of fixes share: the queue's messages, and jobs brought to a state."""

import json
from typing import Any

import boto3

from soulcaster.edges.clock import now_ms
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.job import State
from tests.local.emulated import options

PULL = "https://github.example/acme/larder/pull/7"
# What the publisher notes of it.
OPENED = {"pr_number": "7", "pr_url": PULL, "pr_state": "open", "pr_draft": "1"}
WAY: tuple[State, ...] = ("queued", "starting", "running", "proving", "publishing", "pr_open")
HOUR = 60 * 60 * 1000


def received(sqs_url: str, queue: str) -> list[Any]:
    """All messages of a queue, which is empty afterwards."""
    client, address = boto3.client("sqs", **options(sqs_url)), f"{sqs_url}/123456789012/{queue}"
    bodies = []
    while messages := client.receive_message(QueueUrl=address).get("Messages"):
        bodies.append(json.loads(messages[0]["Body"]))
        client.delete_message(QueueUrl=address, ReceiptHandle=messages[0]["ReceiptHandle"])
    return bodies


def asked(redis: Redis, cluster: str) -> str:
    """A new job of the cluster, queued and without a message."""
    answer = JobStore(redis).ask(cluster, now_ms(), "test")
    assert answer.outcome == "created"
    return answer.id


def reach(redis: Redis, job: str, state: State, attempt: int = 1) -> str:
    """Bring a queued job to a state on the way to its pull request, as its parts would."""
    for step in WAY[1 : WAY.index(state) + 1]:
        fields = {}
        if step == "running":
            fields = {"deadline": str(now_ms() + HOUR)}
        if step == "pr_open":
            fields = {"cause": "pr_open", **OPENED}
        moved = JobStore(redis).move(job, attempt, step, now_ms(), "test", fields)
        assert moved.outcome == "moved"
    return job


def lost(redis: Redis, job: str, attempt: int) -> None:
    """Have a job at work start anew as its next attempt."""
    assert JobStore(redis).move(job, attempt, "queued", now_ms(), "lost").outcome == "moved"


def ended(redis: Redis, job: str, attempt: int = 1) -> None:
    """End a job that is live."""
    fields = {"cause": "engine"}
    moved = JobStore(redis).move(job, attempt, "failed", now_ms(), "gave up", fields)
    assert moved.outcome == "moved"
