"""POST /agent/{action}: what a task asks and reports (claim, heartbeat, proving, finish)."""

import json
from collections.abc import Callable
from typing import Any

from reports import BadRequest, json_object, log_in, micro, report_in, spent_in
from soulcaster import logs, wiring
from soulcaster.edges.clock import now_ms
from soulcaster.edges.github import GitHubError
from soulcaster.edges.queues import QueueError
from soulcaster.edges.redis import RedisError
from soulcaster.rules.job import MICRO, Forbidden, Superseded
from soulcaster.settings import setting
from soulcaster.use_cases.claim import claim
from soulcaster.use_cases.finish import finish, heartbeat, proving

logger = logs.logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers 200 or 202; 400, 401, 409 for what a repeat can't mend, 503 for what it may."""
    del context
    action = _ACTIONS.get(event["pathParameters"]["action"])
    if action is None:
        return _answer(404, {"error": "no such action"})
    token = event["headers"].get("authorization", "").removeprefix("Bearer ")
    try:
        return action(json_object(event.get("body") or ""), token)
    except BadRequest as error:
        return _answer(400, {"error": str(error)})
    except Forbidden:
        return _answer(401, {"error": "the credential is missing or wrong"})
    except Superseded:
        return _answer(409, {"error": "this attempt is over"})
    except (GitHubError, RedisError, QueueError) as error:
        logger.exception("not done")
        passing = not isinstance(error, GitHubError) or error.retryable
        return _answer(503 if passing else 409, {"error": "try again" if passing else str(error)})


def _claim(body: dict[str, Any], token: str) -> dict[str, Any]:
    del token
    ticket = body.get("ticket")
    if not isinstance(ticket, str):
        raise BadRequest("ticket: is missing")
    held = claim(
        ticket,
        jobs=wiring.jobs(),
        bucket=wiring.bucket(),
        github=wiring.github,
        github_url=setting("GITHUB_URL"),
        agent=wiring.agent(),
        queue=wiring.queue("FIX_QUEUE_URL"),
        key=wiring.secret("TICKET_KEY_ARN"),
        now=now_ms(),
    )
    return _answer(200, held)


def _heartbeat(body: dict[str, Any], token: str) -> dict[str, Any]:
    granted, stored = heartbeat(
        token,
        spent_in(body),
        micro(body.get("wants"), "wants"),
        log_in(body),
        jobs=wiring.jobs(),
        key=wiring.secret("TICKET_KEY_ARN"),
        now=now_ms(),
    )
    return _answer(200, {"granted": granted / MICRO, "log": stored})


def _proving(body: dict[str, Any], token: str) -> dict[str, Any]:
    key = wiring.secret("TICKET_KEY_ARN")
    proving(token, spent_in(body), jobs=wiring.jobs(), key=key, now=now_ms())
    return _answer(200, {})


def _finish(body: dict[str, Any], token: str) -> dict[str, Any]:
    state = finish(
        token,
        report_in(body),
        jobs=wiring.jobs(),
        fix_queue=wiring.queue("FIX_QUEUE_URL"),
        publish_queue=wiring.queue("PUBLISH_QUEUE_URL"),
        key=wiring.secret("TICKET_KEY_ARN"),
        now=now_ms(),
    )
    return _answer(202, {"state": state})


_ACTIONS: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "claim": _claim,
    "heartbeat": _heartbeat,
    "proving": _proving,
    "finish": _finish,
}


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body),
    }
