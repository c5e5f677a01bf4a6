"""The fix queue's consumer: start a task for each attempt."""

from typing import Any

from records import each_attempt
from soulcaster import logs, wiring
from soulcaster.edges.clock import now_ms
from soulcaster.edges.queues import QueueError
from soulcaster.edges.redis import RedisError
from soulcaster.edges.tasks import TaskError
from soulcaster.settings import setting
from soulcaster.use_cases.dispatch import dispatch

logger = logs.logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Start the tasks; what could not be started is reported, and comes again."""
    del context

    def start(job: str, attempt: int) -> None:
        dispatch(
            job,
            attempt,
            jobs=wiring.jobs(),
            tasks=wiring.tasks(),
            queue=wiring.queue("FIX_QUEUE_URL"),
            key=wiring.secret("TICKET_KEY_ARN"),
            api_url=setting("PUBLIC_API_URL"),
            now=now_ms(),
        )

    return each_attempt(event, start, (TaskError, RedisError, QueueError))
