"""ECS says that a task has changed its state."""

from typing import Any

from soulcaster import logs, wiring
from soulcaster.edges.clock import now_ms
from soulcaster.use_cases.observe import observe

logger = logs.logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> str | None:
    """Returns the state of the task's job, None where the event says nothing about one."""
    del context
    return observe(
        event["detail"], jobs=wiring.jobs(), queue=wiring.queue("FIX_QUEUE_URL"), now=now_ms()
    )
