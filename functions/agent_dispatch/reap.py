"""On a schedule: look at the jobs that nothing was heard of."""

from typing import Any

from soulcaster import logs, wiring
from soulcaster.edges.clock import now_ms
from soulcaster.use_cases.reap import reap

logger = logs.logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> int:
    """Returns how many jobs were overdue."""
    del event, context
    return reap(
        jobs=wiring.jobs(),
        fix_queue=wiring.queue("FIX_QUEUE_URL"),
        publish_queue=wiring.queue("PUBLISH_QUEUE_URL"),
        tasks=wiring.tasks(),
        now=now_ms(),
    )
