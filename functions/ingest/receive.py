"""POST /webhooks/{project}/{source}: accept a delivery."""

import base64
import json
from functools import cache
from typing import Any

from soulcaster.edges.clock import now_ms
from soulcaster.edges.lean import AwsJson, LeanRedis
from soulcaster.edges.receiver_store import ReceiverStore
from soulcaster.settings import setting
from soulcaster.use_cases.receive import receive, to_json

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
        known=_store(),
        send=_send,
        now=now_ms(),
    )
    if answer.status not in (200, 202):
        print(json.dumps({"status": answer.status, **answer.body, **where}))  # noqa: T201 - the log
    return to_json(answer)


@cache
def _store() -> ReceiverStore:
    return ReceiverStore(_connect)


def _connect() -> LeanRedis:
    secrets = AwsJson("secretsmanager", "secretsmanager", "1.1", QUEUE_TIMEOUT)
    arn = setting("UPSTASH_REDIS_REST_TOKEN_ARN")
    token = secrets.call("GetSecretValue", {"SecretId": arn})["SecretString"]
    return LeanRedis(setting("UPSTASH_REDIS_REST_URL"), token, REDIS_TIMEOUT)


@cache
def _queue() -> AwsJson:
    return AwsJson("sqs", "AmazonSQS", "1.0", QUEUE_TIMEOUT)


def _send(message: str) -> None:
    _queue().call(
        "SendMessage", {"QueueUrl": setting("FEEDBACK_QUEUE_URL"), "MessageBody": message}
    )
