"""Send the messages of a dead-letter queue back to the queues that they came from.

    python scripts/redrive.py FeedbackDeadLetters
    python scripts/redrive.py https://sqs.us-east-1.amazonaws.com/123456789012/a-queue

A queue is given by its address, or by its logical id in template.yaml, which the name of the
deployed queue holds. Where AWS is and who asks is for the usual variables of AWS to say.
"""

import argparse
import sys
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


ABOUT = "send the messages of a dead-letter queue back to the queues that they came from"


class NotOne(Exception):  # noqa: N818 - names what is wrong
    """No queue is meant by what was given, or more than one is."""


def main() -> int:
    """Returns the exit status: 1 when nothing was started."""
    parser = argparse.ArgumentParser(prog="redrive", description=ABOUT)
    arguments(parser)
    try:
        return run(parser.parse_args())
    except (NotOne, BotoCoreError, ClientError) as error:
        print(f"redrive: {error}", file=sys.stderr)
        return 1


def arguments(parser: argparse.ArgumentParser) -> None:
    """What ``run`` is told."""
    parser.add_argument("queue", help="the dead-letter queue's logical id, or its address")


def run(options: argparse.Namespace) -> int:
    """Send them back; raises ``NotOne`` and what AWS's client does when nothing was started."""
    sqs = boto3.client("sqs")
    url = options.queue if "://" in options.queue else found(sqs, options.queue)
    print(f"{url}: about {redrive(sqs, url)} messages go back")
    return 0


def found(sqs: "SQSClient", logical_id: str) -> str:
    """The address of the one queue whose name holds ``logical_id``; raises ``NotOne``."""
    pages = sqs.get_paginator("list_queues").paginate()
    urls = [url for page in pages for url in page.get("QueueUrls", [])]
    meant = [url for url in urls if logical_id in url.rpartition("/")[2]]
    if not logical_id or len(meant) != 1:
        names = ", ".join(url.rpartition("/")[2] for url in meant) or "no queue"
        raise NotOne(f"{logical_id!r} means {names}; give the address of one")
    return meant[0]


def redrive(sqs: "SQSClient", url: str) -> int:
    """Start moving every message back; returns about how many there are."""
    names = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["QueueArn", "ApproximateNumberOfMessages"]
    )["Attributes"]
    sqs.start_message_move_task(SourceArn=names["QueueArn"])
    return int(names["ApproximateNumberOfMessages"])


if __name__ == "__main__":
    sys.exit(main())
