"""POST /agent/{action}: what a task asks and reports (claim, heartbeat, finish)."""

import json
from collections.abc import Callable
from typing import Any

from soulcaster import logs, wiring
from soulcaster.edges.clock import now_ms
from soulcaster.edges.github import GitHubError
from soulcaster.edges.queues import QueueError
from soulcaster.edges.redis import RedisError
from soulcaster.rules.job import Forbidden, Superseded
from soulcaster.settings import setting
from soulcaster.use_cases.claim import claim
from soulcaster.use_cases.finish import OUTCOMES, finish, heartbeat

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
        return action(_object(event.get("body") or ""), token)
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


class BadRequest(Exception):  # noqa: N818 - an answer
    """The task's request is not what was agreed; the message names the field."""


def _object(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text or "{}")
    except ValueError as error:
        raise BadRequest("body: is not JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("body: is not a JSON object")
    return body


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
        model=wiring.model(),
        key=wiring.secret("TICKET_KEY_ARN"),
        now=now_ms(),
    )
    return _answer(200, held)


def _heartbeat(body: dict[str, Any], token: str) -> dict[str, Any]:
    del body
    heartbeat(token, jobs=wiring.jobs(), key=wiring.secret("TICKET_KEY_ARN"), now=now_ms())
    return _answer(200, {})


def _finish(body: dict[str, Any], token: str) -> dict[str, Any]:
    outcome = body.get("outcome")
    if outcome not in OUTCOMES:
        raise BadRequest(f"outcome: is none of {', '.join(sorted(OUTCOMES))}")
    state = finish(
        token,
        outcome,
        str(body.get("reason") or ""),
        str(body.get("summary") or ""),
        str(body.get("patch_sha256") or ""),
        jobs=wiring.jobs(),
        publish_queue=wiring.queue("PUBLISH_QUEUE_URL"),
        key=wiring.secret("TICKET_KEY_ARN"),
        now=now_ms(),
    )
    return _answer(202, {"state": state})


_ACTIONS: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "claim": _claim,
    "heartbeat": _heartbeat,
    "finish": _finish,
}


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body),
    }
