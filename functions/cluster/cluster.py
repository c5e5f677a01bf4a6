"""Cluster pending feedback: on a schedule for every project, by request for one."""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from soulcaster import logs, wiring
from soulcaster.edges.clock import now_ms
from soulcaster.rules.cluster import THRESHOLDS
from soulcaster.settings import setting
from soulcaster.use_cases.cluster_pending import Unclustered, cluster_pending

logger = logs.logger()

# A batch of 500 with its calls to Gemini must fit in what is left.
ENOUGH_MS = 120_000


@logger.inject_lambda_context
def scheduled(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Work through all pending feedback; returns the newly clustered items by project."""
    return _run("", event["id"], context)


@logger.inject_lambda_context
def requested(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work through one project's pending feedback, for each request in the batch."""
    failed = []
    for record in event["Records"]:
        try:
            project = json.loads(record["body"])["project"]
        except (ValueError, KeyError, TypeError):
            logger.exception("unreadable request")
            failed.append(record["messageId"])
            continue
        # Anything else that goes wrong fails the batch, which has one request.
        _run(project, record["messageId"], context)
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}


def _run(project: str, owner: str, context: LambdaContext) -> dict[str, int]:
    """Work through ``project`` ('' for all); a project that fails does not stop the others."""
    done: dict[str, int] = {}
    failed: list[Unclustered] = []
    while context.get_remaining_time_in_millis() > ENOUGH_MS:
        try:
            batch = cluster_pending(
                project,
                owner,
                clusters=wiring.clusters(),
                vectors=wiring.vectors(),
                gemini=wiring.gemini(),
                thresholds=THRESHOLDS[setting("EMBEDDING_MODEL")],
                now=now_ms,
                lease_ms=context.get_remaining_time_in_millis() + 10_000,
                skip=[error.project for error in failed],
            )
        except Unclustered as error:
            logger.exception("not clustered", extra={"project": error.project})
            failed.append(error)
            continue
        if batch is None:
            break
        done[batch.project] = done.get(batch.project, 0) + batch.clustered
        logger.info("clustered", extra={"project": batch.project, "pending": batch.pending})
        if not batch.more:
            break
    if failed:
        raise failed[0]  # so that it counts as an error, and a request comes again
    return done
