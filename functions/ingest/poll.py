"""On a schedule: fetch from the sources that do not send."""

from typing import Any

from soulcaster import logs, wiring
from soulcaster.edges.clock import now_ms
from soulcaster.use_cases.poll import poll

logger = logs.logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Fetch every polled source; returns how many items each gave."""
    del event, context
    return poll(
        projects=wiring.projects(),
        queue=wiring.queue("FEEDBACK_QUEUE_URL"),
        github=wiring.github,
        reddit=wiring.reddit,
        now=now_ms(),
    )
