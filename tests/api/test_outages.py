import json
from typing import Any

import pytest
from app import handler
from starlette.testclient import TestClient

from local.serve import free_port
from tests.api.conftest import DASHBOARD, client_with, forget
from tests.api.routes_table import request, routes
from tests.edges.servers import answer, scripted
from tests.support.people import ADA, AUDIENCE, give_key

_CONTEXT: Any = None  # nothing of it is used


def explained(reply: Any) -> None:
    """A failure for now that says so, when to come again, and nothing about our inside."""
    assert reply.status_code == 503
    assert int(reply.headers["retry-after"]) > 0
    assert reply.json() == {"detail": "a store did not answer; try again"}


@pytest.mark.parametrize(("method", "path"), routes())
def test_redis_down_is_a_503(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    """No route invents an answer when the store can't be reached."""
    monkeypatch.setenv("UPSTASH_REDIS_REST_URL", f"http://127.0.0.1:{free_port()}")
    explained(api.request(**request(method, path)))


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"<html>busy</html>", "502 Bad Gateway", "text/html"),
        answer(b"null"),
        answer(b'{"error": "ERR max daily request limit exceeded"}', "400 Bad Request"),
    ],
)
def test_a_store_that_answers_nonsense_is_a_503(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, raw: bytes
) -> None:
    """A proxy's page or a spent quota is not shown to callers, nor taken for an empty list."""
    with scripted([raw]) as server:
        monkeypatch.setenv("UPSTASH_REDIS_REST_URL", server.url)
        explained(api.get("/projects"))


def test_the_queue_down_is_a_503(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told that something will be done when it will not."""
    api.post("/projects", json={"id": "larder", "name": "Larder"})
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{free_port()}")
    explained(api.post("/clusters/rebalance", json={"project": "larder"}))


def test_the_secrets_down_is_a_503(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pepper no key can be told, and callers are told to come again."""
    key = give_key(redis_url, "larder")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    forget()
    explained(client_with(key).get("/projects"))


def test_a_secret_that_is_gone_is_a_503(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Secrets Manager refuses is no caller's fault either."""
    key = give_key(redis_url, "larder")
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-abcdef"
    monkeypatch.setenv("KEY_PEPPER_ARN", arn)
    forget()
    explained(client_with(key).get("/projects"))


def event(method: str, path: str, key: str) -> dict[str, Any]:
    """An HTTP API's event, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "ANY /{proxy+}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"authorization": f"Bearer {key}", "host": "api.example"},
        "requestContext": {
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "test",
            },
            "stage": "$default",
            "requestId": "r",
            "domainName": "api.example",
        },
        "isBase64Encoded": False,
    }


def test_the_function_answers_events() -> None:
    """What the gateway sends is answered in the gateway's form."""
    for key, status in ((DASHBOARD.token(ADA, AUDIENCE), 200), ("wrong", 401)):
        reply = handler(event("GET", "/projects", key), _CONTEXT)
        assert reply["statusCode"] == status
        assert isinstance(json.loads(reply["body"]), list if status == 200 else dict)
