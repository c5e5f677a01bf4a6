"""The import queue's consumer: uploaded files become feedback."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from soulcaster import logs, wiring
from soulcaster.edges.bucket import BucketError
from soulcaster.edges.clock import now_ms
from soulcaster.edges.queues import QueueError
from soulcaster.edges.redis import RedisError
from soulcaster.rules.imports import parse_import
from soulcaster.use_cases.import_file import Edges, import_file

logger = logs.logger()

ENOUGH_MS = 60_000  # for a chunk, with time-outs


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on with each import of the batch; what failed for now is reported, and comes again."""
    edges = Edges(
        imports=wiring.imports(),
        feedback=wiring.feedback(),
        bucket=wiring.bucket(),
        queue=wiring.queue("IMPORT_QUEUE_URL"),
        now=now_ms,
        time_left=lambda: context.get_remaining_time_in_millis() > ENOUGH_MS,
    )
    failed = []
    for record in event["Records"]:
        try:
            import_file(*parse_import(record["body"]), edges)
        except (ValueError, RedisError, BucketError, QueueError):
            logger.exception("will be tried again", extra={"delivery": record["messageId"]})
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
