"""Says each line of feedback the way its source would: as signed webhooks.

Everything goes in through the doors that production has; nothing is written to a store.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

SENDERS = 6  # at the same time
SENTRY_ID_CHARS = 64
ATTEMPTS, PAUSE_SECONDS = 5, 1.0  # over a 5xx, as the real senders do
LONGEST_PAUSE_SECONDS = 120  # a limit of a day is not waited for


@dataclass
class Tally:
    """What became of the deliveries: how many each answer was given to, and the first refusals.

    ``earlier`` counts what was there already, from an earlier run.
    """

    answers: Counter[int] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    earlier: int = 0

    @property
    def accepted(self) -> int:
        """Deliveries answered 202, which the queue has, and those of earlier runs."""
        return self.answers[202] + self.earlier

    def note(self, what: str, status: int, text: str) -> None:
        """Count one answer."""
        self.answers[status] += 1
        if status != 202 and len(self.refused) < 5:
            self.refused.append(f"{what}: {status} {text[:200]}")


def send_all(
    rows: Sequence[Mapping[str, Any]],
    sources: Mapping[str, Mapping[str, Any]],
    tally: Tally,
    progress: Callable[[int], None],
) -> None:
    """Send rows to ``sources``: ``standard``, and others of ``SENT``, with address and secret.

    A row goes to the source that it names, else to ``standard``. ``progress`` is told how many
    were answered, now and then.
    """
    noting = threading.Lock()
    with httpx.Client(timeout=60, trust_env=False) as client:

        def send(row: Mapping[str, Any]) -> None:
            kind = str(row.get("source"))
            kind = kind if kind in sources else "standard"
            answer = _post(client, row, kind, sources[kind])
            with noting:
                tally.note(str(row["id"]), answer.status_code, answer.text)

        pool = ThreadPoolExecutor(SENDERS)
        try:
            for done, _ in enumerate(pool.map(send, rows), 1):
                progress(done)
        finally:
            pool.shutdown(cancel_futures=True)


def _post(
    client: httpx.Client, row: Mapping[str, Any], kind: str, source: Mapping[str, Any]
) -> httpx.Response:
    for attempt in range(ATTEMPTS):
        body, headers = SENT[kind](row, source["secret"])
        answer = client.post(source["webhook"], content=body, headers=headers)
        pause = PAUSE_SECONDS
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            pause = float(answer.headers["retry-after"])
        elif answer.status_code < 500:
            break
        if attempt == ATTEMPTS - 1 or pause > LONGEST_PAUSE_SECONDS:
            break
        time.sleep(pause)
    return answer


def standard(row: Mapping[str, Any], secret: str) -> tuple[bytes, dict[str, str]]:
    """A row as a signed Standard Webhooks request."""
    data = {
        "id": str(row["id"]),
        "title": row.get("title") or "",
        "text": row.get("text") or "",
    }
    given = ("source", "created_at", "author", "url")
    data |= {name: row[name] for name in given if row.get(name)}
    event = {"type": "feedback.created", "data": data}
    body = json.dumps(event).encode()
    message_id = "msg_" + hashlib.sha256(str(row["id"]).encode()).hexdigest()[:24]
    timestamp = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return body, {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def sentry(row: Mapping[str, Any], secret: str) -> tuple[bytes, dict[str, str]]:
    """A row as a signed issue-alert webhook of Sentry; a message without ``extra.exception``."""
    extra = row.get("extra") or {}
    identifier = str(row["id"])
    event_id = hashlib.md5(identifier.encode(), usedforsecurity=False).hexdigest()
    event: dict[str, Any] = {
        "event_id": event_id,
        "issue_id": identifier if len(identifier) <= SENTRY_ID_CHARS else event_id,
        "title": title(row),
        "culprit": extra.get("culprit"),
        "level": extra.get("level", "error"),
        "platform": "python",
        "release": extra.get("release"),
        "environment": extra.get("environment"),
        "datetime": row.get("created_at"),
        "message": row.get("text"),
        "web_url": row.get("url"),
    }
    if exception := extra.get("exception"):
        value = {
            "type": exception.get("type"),
            "value": exception.get("value"),
            "stacktrace": {"frames": extra.get("frames", [])},
        }
        event["exception"] = {"values": [value]}
    body = json.dumps(
        {
            "action": "triggered",
            "installation": {"uuid": "00000000-0000-0000-0000-000000000001"},
            "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
            "data": {"event": event, "triggered_rule": "Every new issue"},
        }
    ).encode()
    return body, {
        "content-type": "application/json",
        "sentry-hook-resource": "event_alert",
        "sentry-hook-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def github(row: Mapping[str, Any], secret: str) -> tuple[bytes, dict[str, str]]:
    """A row as a signed webhook of GitHub about an issue that was opened."""
    number = int(hashlib.sha256(str(row["id"]).encode()).hexdigest()[:12], 16)
    at = row.get("created_at") or datetime.now(UTC).isoformat()
    repository = (row.get("extra") or {}).get("repository", "acme/larder")
    issue = {
        "id": number,
        "number": number,
        "title": title(row),
        "body": row.get("text"),
        "user": {"login": row.get("author") or "somebody"},
        "state": "open",
        "html_url": row.get("url"),
        "created_at": at,
        "updated_at": at,
    }
    body = json.dumps(
        {"action": "opened", "issue": issue, "repository": {"full_name": repository}}
    ).encode()
    return body, {
        "content-type": "application/json",
        "x-github-event": "issues",
        "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest(),
    }


def title(row: Mapping[str, Any]) -> str:
    """The title, which most sources always have; where a row has none, its text's first line."""
    return row.get("title") or str(row.get("text") or "").strip().split("\n", 1)[0]


SENT = {"standard": standard, "sentry": sentry, "github": github}
