"""Cluster what is pending and look at clusters again: on a schedule for all, by request for one."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from soulcaster import logs, wiring
from soulcaster.edges.clock import now_ms
from soulcaster.settings import setting
from soulcaster.use_cases.cluster_pending import Batch, Unclustered, cluster_pending
from soulcaster.use_cases.rank import rank_due
from soulcaster.use_cases.rebalance import Look, look_again

logger = logs.logger()

# A batch of 500 with its calls to Gemini must fit in what is left.
ENOUGH_MS = 120_000
ENOUGH_TO_RANK_MS = 10_000


@logger.inject_lambda_context
def scheduled(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Work through all pending feedback; returns the newly clustered items by project.

    Then what is left of the time goes into ratings that have become old.
    """
    try:
        return _run("", event["id"], context)
    finally:
        rank_due(
            clusters=wiring.cluster_list(),
            now=now_ms,
            go_on=lambda: context.get_remaining_time_in_millis() > ENOUGH_TO_RANK_MS,
        )


@logger.inject_lambda_context
def requested(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work through one project's pending feedback, for each request in the batch.

    With ``look`` in the request its clusters are looked at again after that, due or not.
    """
    failed = []
    for record in event["Records"]:
        try:
            wanted = json.loads(record["body"])
            project, look = wanted["project"], bool(wanted.get("look"))
        except (ValueError, KeyError, TypeError, AttributeError):
            logger.exception("unreadable request")
            failed.append(record["messageId"])
            continue
        # Anything else that goes wrong fails the batch, which has one request.
        _run(project, record["messageId"], context, look=look)
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}


class _Run:
    """One invocation's work on ``project`` ('' for all).

    A project that fails is left out for the rest of it, and does not stop the others.
    """

    def __init__(self, project: str, owner: str, context: LambdaContext) -> None:
        self._project = project
        self._owner = owner
        self._context = context
        self.failed: list[Unclustered] = []

    @property
    def has_time(self) -> bool:
        return self._context.get_remaining_time_in_millis() > ENOUGH_MS

    def cluster(self) -> Batch | None:
        """A batch; None when there is none."""
        return self._without_failed(
            lambda lease_ms, skip: cluster_pending(
                self._project,
                self._owner,
                clusters=wiring.clusters(),
                vectors=wiring.vectors(),
                gemini=wiring.gemini(),
                now=now_ms,
                lease_ms=lease_ms,
                skip=skip,
                referee_per_day=int(setting("REFEREE_PER_DAY")),
            )
        )

    def look(self, project: str, *, asked: bool = False) -> Look | None:
        """A look at ``project``; None when none is due, or somebody else is at work."""
        return self._without_failed(
            lambda lease_ms, skip: look_again(
                project,
                self._owner,
                looks=wiring.looks(),
                vectors=wiring.vectors(),
                gemini=wiring.gemini(),
                now=now_ms,
                lease_ms=lease_ms,
                asked=asked,
                skip=skip,
            )
        )

    def _without_failed[T](self, work: Callable[[int, list[str]], T | None]) -> T | None:
        while self.has_time:
            lease_ms = self._context.get_remaining_time_in_millis() + 10_000
            try:
                return work(lease_ms, [error.project for error in self.failed])
            except Unclustered as error:
                logger.exception("not clustered", extra={"project": error.project})
                self.failed.append(error)
        return None


def _run(project: str, owner: str, context: LambdaContext, *, look: bool = False) -> dict[str, int]:
    """Work through ``project`` ('' for all); returns the newly clustered items by project."""
    run = _Run(project, owner, context)
    done: dict[str, int] = {}
    while batch := run.cluster():
        done[batch.project] = done.get(batch.project, 0) + batch.clustered
        logger.info("clustered", extra={"project": batch.project, "pending": batch.pending})
        if batch.look and (batch.more or not look):
            _looked(run.look(batch.project))
        if not batch.more:
            break
    if look and not run.has_time:
        raise TimeoutError(f"no time was left to look at {project}")  # the request comes again
    if look:
        _looked(run.look(project, asked=True))
    # One that was cut off after its batch is found by the schedule.
    while not project and (looked := run.look("")):
        _looked(looked)
    if run.failed:
        raise run.failed[0]  # so that it counts as an error, and a request comes again
    return done


def _looked(look: Look | None) -> None:
    if look:
        logger.info("looked", extra=asdict(look))
