"""The feedback queue's consumer."""

from typing import Any

from soulcaster import logs, wiring
from soulcaster.use_cases.store_batch import store_batch

logger = logs.logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Store a batch; what could not be stored is reported, and comes again."""
    del context
    messages = [(record["messageId"], record["body"]) for record in event["Records"]]
    failed = store_batch(
        messages,
        feedback=wiring.feedback(),
        sources=wiring.sources(),
        pulls=wiring.pulls(),
    )
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
