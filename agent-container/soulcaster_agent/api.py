"""The control plane as the task sees it: claim, heartbeat, proving, uploads, finish."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

import httpx

from soulcaster_agent.budget import Spent
from soulcaster_agent.job import Job, parse_job
from soulcaster_agent.report import Report

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
TRY_AGAIN = {408, 425, 429}


class RefusedError(Exception):
    """The control plane does not want to hear from this attempt (any more)."""


class UnreachableError(Exception):
    """No usable answer came after all retries."""


class Beat(NamedTuple):
    """What a heartbeat is answered: dollars granted in all, log entries stored in all."""

    granted: float
    stored: int


class Api:
    """Calls of one attempt. Retries what got no answer, 5xx, 408, 425 and 429 five times in 16 s.

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

    def heartbeat(
        self,
        spent: Spent,
        wants: float,
        start: int,
        entries: list[str],
        *,
        pauses: tuple[float, ...] = (),
        seconds: float | None = None,
    ) -> Beat:
        """Say that the attempt is alive, what it spent, and what its log says from ``start`` on.

        ``wants`` is how many dollars it needs to be granted in all, 0 when it needs no
        more. Not repeated unless ``pauses`` are given: the next beat is the retry. One try
        takes at most ``seconds``.
        """
        body = {
            "spent": asdict(spent),
            "wants": wants,
            "log": {"from": start, "entries": entries},
        }
        answer = self._send("POST", "/agent/heartbeat", json=body, pauses=pauses, seconds=seconds)
        try:
            given = answer.json()
            beat = Beat(float(given["granted"]), int(given["log"]))
        except (KeyError, OverflowError, TypeError, ValueError):
            raise UnreachableError("the answer to a heartbeat can't be read") from None
        if not math.isfinite(beat.granted):
            raise UnreachableError("the answer to a heartbeat grants no amount")
        return beat

    def proving(self, spent: Spent) -> None:
        """Say that the engine is done and the proof begins."""
        self._send("POST", "/agent/proving", json={"spent": asdict(spent)})

    def finish(self, report: Report) -> None:
        """Report how the attempt ended, and what it handed in."""
        self._send("POST", "/agent/finish", json=asdict(report))

    def upload(self, url: str, content: bytes) -> None:
        """Store the content at a presigned address."""
        # No header of ours: a presigned address is signed for the headers it names.
        self._attempt(lambda: self._http.put(url, content=content, timeout=60), PAUSES)

    def _send(
        self,
        method: str,
        path: str,
        *,
        json: Any,
        pauses: tuple[float, ...] = PAUSES,
        seconds: float | None = None,
    ) -> httpx.Response:
        url = self._base_url + path
        timeout = self._http.timeout if seconds is None else httpx.Timeout(seconds)
        return self._attempt(
            lambda: self._http.request(
                method, url, json=json, headers=self._headers, timeout=timeout
            ),
            pauses,
        )

    def _attempt(
        self, call: Callable[[], httpx.Response], pauses: tuple[float, ...]
    ) -> httpx.Response:
        for pause in (*pauses, None):
            try:
                answer = call()
            except (httpx.RequestError, httpx.InvalidURL) as error:
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
