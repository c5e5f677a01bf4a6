"""How GitHub's REST API is spoken to: who asks, what is sent, what an answer or a refusal is."""

import time
from typing import Any

import httpx
import jwt

TIMEOUT_SECONDS = 10
# GitHub refuses an App's JWT that lives longer than ten minutes, and clocks differ.
_JWT_SECONDS = 540
_CLOCK_SKEW_SECONDS = 60


class GitHubError(Exception):
    """GitHub refused, failed or could not be reached (``status`` 0 then).

    ``retryable``: the same call may succeed later (5xx, rate limits, transport errors).
    """

    def __init__(self, status: int, message: str, *, limited: bool = False) -> None:
        super().__init__(f"GitHub: {status or 'not reached'}: {message}")
        self.status = status
        self.message = message
        self.retryable = limited or status in (0, 429) or status >= 500


class GitHubApi:
    """Requests to one GitHub, as one App. Every one may raise ``GitHubError``."""

    def __init__(
        self, api_url: str, app_id: str, private_key: str, client: httpx.Client | None = None
    ) -> None:
        """``private_key`` is the App's in PEM; ``client`` is shared if given, else made once."""
        self._api = api_url.rstrip("/")
        self._app_id = app_id
        self._private_key = private_key
        self._client = client or httpx.Client()

    def app_jwt(self) -> str:
        """What the App itself shows, where it has no token yet."""
        now = int(time.time())
        claims = {"iat": now - _CLOCK_SKEW_SECONDS, "exp": now + _JWT_SECONDS, "iss": self._app_id}
        return jwt.encode(claims, self._private_key, algorithm="RS256")

    def one(
        self, method: str, path: str, token: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The JSON object that is answered."""
        return dict(_value(self._send(method, path, token, body=body), dict))

    def many(self, path: str, token: str, query: dict[str, str]) -> list[Any]:
        """The JSON array that a GET is answered with."""
        return list(_value(self._send("GET", path, token, query=query), list))

    def _send(
        self,
        method: str,
        path: str,
        token: str,
        *,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
    ) -> httpx.Response:
        url = self._api + path
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "User-Agent": "soulcaster",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        try:
            response = self._client.request(
                method, url, json=body, params=query, headers=headers, timeout=TIMEOUT_SECONDS
            )
        except httpx.RequestError as error:
            raise GitHubError(0, type(error).__name__) from error
        if not response.is_success:
            raise _refusal(response)
        return response


def _value(response: httpx.Response, kind: type[Any]) -> Any:
    try:
        value = response.json()
    except ValueError:
        value = None
    if not isinstance(value, kind):
        # A proxy's or a maintenance page; what was meant may well have happened.
        raise GitHubError(502, "the answer is not GitHub's")
    return value


def _refusal(response: httpx.Response) -> GitHubError:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    parts = [str(answer.get("message") or response.reason_phrase)]
    errors = answer.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            parts.append(str(error.get("message") or f"{error.get('field')} {error.get('code')}"))
        else:
            parts.append(str(error))
    message = ": ".join(parts)[:500]
    limited = response.status_code == 403 and (
        "retry-after" in response.headers
        or response.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in message.lower()
    )
    return GitHubError(response.status_code, message, limited=limited)
