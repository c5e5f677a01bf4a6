"""The control plane as the task sees it: claim, heartbeat, uploads, finish."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from soulcaster_agent.job import Job, parse_job

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
TRY_AGAIN = {408, 425, 429}


class RefusedError(Exception):
    """The control plane does not want to hear from this attempt (any more)."""


class UnreachableError(Exception):
    """No usable answer came after all retries."""


class Api:
    """Calls of one attempt. Retries transport errors, 5xx, 408, 425 and 429 five times in 16 s.

    Every call here may be repeated: a claim whose answer was lost is refused the
    second time, which is what an attempt that cannot start should meet.
    """

    def __init__(
        self, base_url: str, http: httpx.Client, pause: Callable[[float], object] = time.sleep
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._http = http
        self._pause = pause
        self._headers: dict[str, str] = {}

    def claim(self, ticket: str) -> Job:
        """Trade the one-use ticket for the job; later calls carry its callback token."""
        answer = self._send("POST", "/agent/claim", json={"ticket": ticket})
        try:
            body = answer.json()
        except ValueError:
            raise UnreachableError("the control plane's answer is not JSON") from None
        job = parse_job(body)
        self._headers = {"Authorization": f"Bearer {job.callback_token}"}
        return job

    def heartbeat(self) -> None:
        """Say once that the attempt is alive; the next beat is the retry."""
        self._send("POST", "/agent/heartbeat", json={}, pauses=())

    def finish(self, outcome: str, reason: str, summary: str, patch_sha256: str = "") -> None:
        """Report how the attempt ended, and which patch it handed in."""
        report = {"outcome": outcome, "reason": reason, "summary": summary}
        self._send("POST", "/agent/finish", json={**report, "patch_sha256": patch_sha256})

    def upload(self, url: str, content: bytes) -> None:
        """Store the content at a presigned address."""
        # No header of ours: a presigned address is signed for the headers it names.
        self._attempt(lambda: self._http.put(url, content=content, timeout=60), PAUSES)

    def _send(
        self, method: str, path: str, *, json: Any, pauses: tuple[float, ...] = PAUSES
    ) -> httpx.Response:
        return self._attempt(
            lambda: self._http.request(
                method, self._base_url + path, json=json, headers=self._headers
            ),
            pauses,
        )

    def _attempt(
        self, call: Callable[[], httpx.Response], pauses: tuple[float, ...]
    ) -> httpx.Response:
        for pause in (*pauses, None):
            try:
                answer = call()
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
            else:
                if answer.is_success:
                    return answer
                problem = f"{answer.status_code} {detail(answer)}"
                if answer.is_client_error and answer.status_code not in TRY_AGAIN:
                    raise RefusedError(problem)
            if pause is not None:
                self._pause(pause)
        raise UnreachableError(problem)


def detail(answer: httpx.Response) -> str:
    """Return the start of an error's body, for people."""
    return " ".join(answer.text[:300].split())
