"""A true event for each function that changes nothing, or the same thing each time."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.surroundings import Surroundings
from local.lambdas import http_event, sqs_event
from local.lambdas.http_event import Request
from local.lambdas.routes import Router

SECRET = "a-webhook-secret-for-benchmarks"
ISSUE = {
    "action": "opened",
    "issue": {
        "id": 1,
        "number": 1,
        "title": "Export loses the last row",
        "body": "The CSV has one row less than the pantry. " * 20,
        "html_url": "https://github.com/acme/larder/issues/1",
        "user": {"login": "ada"},
        "labels": [{"name": "bug"}],
        "state": "open",
        "created_at": "2025-01-01T00:00:00Z",
        "updated_at": "2025-01-01T00:00:00Z",
    },
    "repository": {"full_name": "acme/larder"},
}
JOB = "job_larder_00000000000000000000"
IMPORT = "imp_larder_00000000000000000000"

type Invoke = Callable[[str, Any], Any]


def of_every_function(around: Surroundings, invoke: Invoke) -> dict[str, Any]:
    """An event for each function of the template, by logical id.

    Makes a project and a source through the API, and a delivery through the receiver.
    Raises ``KeyError`` for a function that nobody has written an event for.
    """
    for path, body in (
        ("/projects", {"id": "larder", "name": "Larder", "repository": "acme/larder"}),
        (
            "/sources",
            {
                "project": "larder",
                "name": "gh",
                "kind": "github",
                "secret": SECRET,
                "per_minute": 100_000,
            },
        ),
    ):
        made = invoke("ApiFunction", _http(around, "POST", path, json.dumps(body)))
        _expect(made, {201})
    webhook = _webhook(around)
    _expect(invoke("ReceiveFunction", webhook), {202})
    forged = {"authorization": f"Bearer {JOB}.1.{'0' * 40}"}
    known = {
        "ApiFunction": _http(around, "GET", "/projects"),
        "CallbackFunction": _http(around, "POST", "/agent/heartbeat", "{}", forged.items()),
        "ClusterFunction": _schedule(),
        "ClusterNowFunction": _message("ClusterQueue", {"project": "larder"}),
        "ImportFunction": _message("ImportQueue", {"import": IMPORT, "turn": 1}),
        "DispatchFunction": _message("FixQueue", {"job": JOB, "attempt": 1}),
        "ObserveFunction": _task_event(),
        "PollFunction": _schedule(),
        "PublishFunction": _message("PublishQueue", {"job": JOB, "attempt": 1}),
        "ReapFunction": _schedule(),
        "ReceiveFunction": webhook,
        "StoreFunction": _delivery(around),
    }
    # Last what leaves something behind that others would work on.
    names = sorted(around.stack.functions, key=lambda name: name == "StoreFunction")
    return {name: known[name] for name in names}


def _expect(answer: Any, statuses: set[int]) -> None:
    if not isinstance(answer, dict) or answer.get("statusCode") not in statuses:
        raise RuntimeError(f"expected {statuses}: {answer}")


def _http(
    around: Surroundings,
    method: str,
    path: str,
    body: str = "",
    headers: Iterable[tuple[str, str]] = (),
) -> dict[str, Any]:
    given = {
        "host": "api.example",
        "content-type": "application/json",
        "authorization": f"Bearer {around.token}",
        **dict(headers),
    }
    found = Router(around.stack.routes).find(method, path)
    if found is None:
        raise RuntimeError(f"no route for {method} {path}")
    route, variables = found
    request = Request(method, path, "", given.items(), body.encode(), "203.0.113.7")
    return http_event.event(request, route, variables, around.stack.places, "none")


def _webhook(around: Surroundings) -> dict[str, Any]:
    body = json.dumps(ISSUE)
    signature = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    headers = {"x-github-event": "issues", "x-hub-signature-256": f"sha256={signature}"}
    return _http(around, "POST", "/webhooks/larder/src_larder_gh", body, headers.items())


def _delivery(around: Surroundings) -> dict[str, Any]:
    """The batch that the queue gives of what the receiver has put there."""
    queue, sqs = around.stack.queues["FeedbackQueue"], around.clients.sqs()
    messages = sqs.receive_message(QueueUrl=queue.url, WaitTimeSeconds=5)["Messages"]
    return sqs_event.event(messages, queue.arn)


def _message(queue: str, body: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(body)
    message: Any = {
        "MessageId": str(uuid.uuid4()),
        "ReceiptHandle": "none",
        "Body": text,
        "MD5OfBody": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    }
    return sqs_event.event([message], f"arn:aws:sqs:us-east-1:123456789012:{queue}")


def _schedule() -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "detail": {},
    }


def _task_event() -> dict[str, Any]:
    detail = {"lastStatus": "STOPPED", "startedBy": f"{JOB}/1", "containers": [{"exitCode": 0}]}
    return {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": detail}
