"""API Gateway HTTP APIs, payload format 2.0: a request as an event, an answer as a response.

What is base64 and what is decoded follows what the service was seen to do, not only
what it documents.
"""

import base64
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.lambdas.stack import Places, Route

TEXT = frozenset({"application/json", "application/javascript", "application/xml"})

type Pairs = Iterable[tuple[str, str]]


class BadResponseError(Exception):
    """The function's answer is not a response; API Gateway makes that a 500."""


@dataclass(frozen=True)
class Request:
    """A request as it came in; ``path`` and ``query`` are still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Pairs
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"


def event(
    request: Request, route: Route, variables: Mapping[str, str], places: Places, trace: str
) -> dict[str, Any]:
    """The event that the route's function gets."""
    headers, cookies = folded(request.headers)
    now = time.time()
    host = headers.get("host", "")
    forwarded = headers.get("x-forwarded-for")
    headers |= {
        "x-amzn-trace-id": trace,
        "x-forwarded-for": f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip,
        "x-forwarded-port": host.rpartition(":")[2] if ":" in host else "80",
        "x-forwarded-proto": "http",
    }
    built: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": unquote(request.path),
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": places.account,
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": unquote(request.path),
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": route.key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
    }
    if cookies:
        built["cookies"] = cookies
    if request.query:
        built["queryStringParameters"] = joined(parse_qsl(request.query, keep_blank_values=True))
    if variables:
        built["pathParameters"] = dict(variables)
    if request.body:
        built["body"], built["isBase64Encoded"] = encoded(
            request.body, headers.get("content-type", "")
        )
    else:
        built["isBase64Encoded"] = False
    return built


def folded(headers: Pairs) -> tuple[dict[str, str], list[str]]:
    """Headers with lower-case names, repeated ones joined by commas; and the cookies apart."""
    rest, cookies = [], []
    for name, value in headers:
        if name.lower() == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        else:
            rest.append((name.lower(), value))
    return joined(rest), cookies


def joined(pairs: Pairs) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def encoded(body: bytes, content_type: str) -> tuple[str, bool]:
    """The body as text, and whether that is base64; forms and untyped bodies are."""
    media = content_type.partition(";")[0].strip().lower()
    if media in TEXT or media.startswith("text/"):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


@dataclass(frozen=True)
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def response(payload: Any) -> Response:
    """The response of a function's answer; a bare value is a 200 with JSON.

    Raises BadResponseError for a malformed one.
    """
    if not isinstance(payload, dict) or "statusCode" not in payload:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        return Response(200, [("content-type", "application/json")], text.encode())
    try:
        status = int(payload["statusCode"])
        body = payload.get("body") or ""
        if not isinstance(body, str) or not 100 <= status <= 599:
            raise BadResponseError(f"status {status}, body of type {type(body).__name__}")
        data = base64.b64decode(body) if payload.get("isBase64Encoded") else body.encode()
        headers = [(str(k).lower(), str(v)) for k, v in (payload.get("headers") or {}).items()]
    except (TypeError, ValueError, AttributeError) as error:
        raise BadResponseError(str(error)) from error
    headers += [("set-cookie", str(cookie)) for cookie in payload.get("cookies") or []]
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    if any("\n" in part or "\r" in part for pair in headers for part in pair):
        raise BadResponseError("a line break in a header")
    own = {"content-length", "connection", "transfer-encoding"}
    return Response(status, [pair for pair in headers if pair[0] not in own], data)


def message(status: int, text: str) -> Response:
    """API Gateway's own answer with that status."""
    body = json.dumps({"message": text}).encode()
    return Response(status, [("content-type", "application/json")], body)
