"""What the webhook receiver needs of AWS and Redis, from the standard library alone.

Importing boto3 and the Upstash client takes longer than everything else the receiver does,
and it is the one function that strangers wait for: see docs/adr/0001-lean-receiver.md.
Nothing else may use this module.
"""

import hashlib
import hmac
import http.client
import json
import os
import ssl
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from soulcaster.edges import scripts


class LeanError(Exception):
    """The other side did not answer in time, or answered with an error (``status``)."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Connection:
    """One kept connection to ``url``; a call fails after ``timeout`` seconds without a byte."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._path = parts.path or "/"
        if parts.scheme == "https":
            self._http: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.netloc, timeout=timeout, context=_tls()
            )
        else:
            self._http = http.client.HTTPConnection(parts.netloc, timeout=timeout)

    def post(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; raises ``LeanError``.

        Tried once more only where a kept connection turns out to be closed: then the other
        side has not read the request.
        """
        reused = self._http.sock is not None
        try:
            self._http.request("POST", self._path, body, headers)
            answer = self._http.getresponse()
            return answer.status, answer.read()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self._http.close()
            if reused:
                return self.post(headers, body)
            raise LeanError(f"{self.host}: {error!r}") from error
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise LeanError(f"{self.host}: {error!r}") from error


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class AwsJson:
    """Calls of one AWS service that speaks AWS JSON, signed with Signature Version 4.

    Source: AWS's documentation, "Create a signed AWS API request". ``service`` is the name
    in the signature, ``target`` the prefix of X-Amz-Target, ``version`` that of the protocol.
    """

    def __init__(self, service: str, target: str, version: str, timeout: float) -> None:
        region = os.environ["AWS_REGION"]
        name = {"sqs": "SQS", "secretsmanager": "SECRETS_MANAGER"}[service]
        url = (
            os.environ.get(f"AWS_ENDPOINT_URL_{name}")
            or os.environ.get("AWS_ENDPOINT_URL")
            or f"https://{service}.{region}.amazonaws.com"
        )
        self._connection = Connection(url, timeout)
        self._service, self._target, self._region = service, target, region
        self._type = f"application/x-amz-json-{version}"

    def call(self, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The answer; raises ``LeanError`` for anything but a 200."""
        body = json.dumps(payload).encode()
        headers = {
            "content-type": self._type,
            "host": self._connection.host,
            "x-amz-target": f"{self._target}.{operation}",
        }
        token = os.environ.get("AWS_SESSION_TOKEN")
        if token:
            headers["x-amz-security-token"] = token
        now = datetime.fromtimestamp(time.time(), UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = sign(headers, body, self._service, self._region, now)
        status, answer = self._connection.post(signed, body)
        return _object(operation, status, answer)


def sign(
    headers: dict[str, str], body: bytes, service: str, region: str, now: str
) -> dict[str, str]:
    """``headers`` with ``x-amz-date`` and ``authorization`` for a POST of ``body`` to ``/``."""
    headers = {**headers, "x-amz-date": now}
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [
            "POST",
            "/",
            "",
            *(f"{name}:{headers[name].strip()}" for name in sorted(headers)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{now[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


class LeanRedis:
    """Runs the scripts in ``lua/`` through Upstash's REST protocol."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        self._connection = Connection(url, timeout)
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def run(self, script: str, *args: str | int) -> Any:
        """The answer of ``lua/<script>.lua``; one request. Raises ``LeanError``."""
        body = json.dumps(["EVAL", scripts.source(script), "0", *map(str, args)]).encode()
        status, answer = self._connection.post(self._headers, body)
        parsed = _object(script, status, answer)
        if "result" not in parsed:
            raise LeanError(f"{script}: an answer without a result")
        return parsed["result"]


def _object(operation: str, status: int, answer: bytes) -> dict[str, Any]:
    """The JSON object of a 200; raises ``LeanError`` for any other answer."""
    try:
        parsed = json.loads(answer) if status == 200 else None
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise LeanError(f"{operation}: {status} {_start(answer)}", status)
    return parsed


def _start(answer: bytes) -> str:
    return answer[:300].decode("utf-8", "replace")
