"""POST /webhooks/{project}/{source}: accept a delivery."""

import base64
import json
import math
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from soulcaster.edges.clock import now_ms
from soulcaster.edges.lean import AwsJson, LeanError, LeanRedis
from soulcaster.rules.source import Source
from soulcaster.settings import setting
from soulcaster.use_cases.receive import Unreachable, receive, to_json

REMEMBERED_SECONDS = 60
REFETCH_SECONDS = 5
REMEMBERED = 1_000  # sources, those that are not there included
UNAUTHORISED = 401
# Sentry waits one second for an answer, GitHub ten.
REDIS_TIMEOUT = 0.6
QUEUE_TIMEOUT = 3.0


def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Answer 202 once the queue has the delivery; see ``use_cases.receive``."""
    del context
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    where = event["pathParameters"]
    answer = receive(
        where["project"],
        where["source"],
        event["headers"],
        raw,
        find_source=_finder(),
        send=_send,
        now=now_ms(),
    )
    if answer.status not in (200, 202):
        print(json.dumps({"status": answer.status, **answer.body, **where}))  # noqa: T201 - the log
    return to_json(answer)


@cache
def _finder() -> Callable[[str, str, bool], Source | None]:
    remembered: dict[tuple[str, str], tuple[float, Source | None]] = {}

    def find(project: str, source: str, fresh: bool) -> Source | None:
        at, known = remembered.get((project, source), (-math.inf, None))
        age = time.monotonic() - at
        # A forger must not be able to make every request a look-up.
        if age < (REFETCH_SECONDS if fresh or known is None else REMEMBERED_SECONDS):
            return known
        try:
            text = _redis().hget(f"p:{project}:sources", source)
        except LeanError as error:
            if error.status == UNAUTHORISED:
                _redis.cache_clear()  # its token was replaced
            if known is not None:
                return known
            raise Unreachable(str(error)) from error
        if len(remembered) >= REMEMBERED:
            remembered.clear()
        found = Source.from_json(text) if text is not None else None
        remembered[project, source] = (time.monotonic(), found)
        return found

    return find


@cache
def _redis() -> LeanRedis:
    secrets = AwsJson("secretsmanager", "secretsmanager", "1.1", QUEUE_TIMEOUT)
    arn = setting("UPSTASH_REDIS_REST_TOKEN_ARN")
    token = secrets.call("GetSecretValue", {"SecretId": arn})["SecretString"]
    return LeanRedis(setting("UPSTASH_REDIS_REST_URL"), token, REDIS_TIMEOUT)


@cache
def _queue() -> AwsJson:
    return AwsJson("sqs", "AmazonSQS", "1.0", QUEUE_TIMEOUT)


def _send(message: str) -> None:
    try:
        _queue().call(
            "SendMessage", {"QueueUrl": setting("FEEDBACK_QUEUE_URL"), "MessageBody": message}
        )
    except LeanError as error:
        raise Unreachable(str(error)) from error
