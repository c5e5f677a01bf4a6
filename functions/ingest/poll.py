"""On a schedule: fetch from the sources that do not send."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from soulcaster import logs, wiring
from soulcaster.edges.clock import now_ms
from soulcaster.use_cases.poll import poll

logger = logs.logger()

ENOUGH_MS = 120_000  # for a source with 20 subreddits, or for a day of a busy repository


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Fetch the polled sources; returns how many items each gave."""
    del event
    return poll(
        sources=wiring.sources(),
        queue=wiring.queue("FEEDBACK_QUEUE_URL"),
        github=wiring.github,
        reddit=wiring.reddit,
        now=now_ms(),
        time_left=lambda: context.get_remaining_time_in_millis() > ENOUGH_MS,
    )
