"""Queue messages that each name an attempt of a job."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

from soulcaster.rules.job import parse_attempt


def each_attempt(
    event: dict[str, Any], work: Callable[[str, int], object], passing: tuple[type[Exception], ...]
) -> dict[str, Any]:
    """Do ``work`` for every record; those that fail with a ``passing`` error, and
    those that can't be read, come again.
    """
    logger = Logger(service="soulcaster")
    failed = []
    expected: tuple[type[Exception], ...] = (ValueError, *passing)
    for record in event["Records"]:
        try:
            work(*parse_attempt(record["body"]))
        except expected:
            logger.exception("will be tried again", extra={"delivery": record["messageId"]})
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
