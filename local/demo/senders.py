"""Says each line of feedback the way its source would: as signed webhooks, or as posts.

Everything goes in through the doors that production has; nothing is written to a store.
"""

import base64
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

SENDERS = 6  # at the same time
GITHUB_SECONDS = 60


@dataclass
class Tally:
    """How many deliveries each answer was given to, and some that were not accepted."""

    answers: Counter[int] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """Deliveries answered 202: the queue has them."""
        return self.answers[202]

    def note(self, what: str, status: int, text: str) -> None:
        """Count one answer."""
        self.answers[status] += 1
        if status != 202 and len(self.refused) < 5:
            self.refused.append(f"{what}: {status} {text[:200]}")


def send_all(
    rows: Iterable[Mapping[str, Any]], sources: Mapping[str, Mapping[str, Any]], tally: Tally
) -> None:
    """Send rows to ``sources`` (``sentry`` and ``standard``: address and secret)."""
    with httpx.Client(timeout=60) as client, ThreadPoolExecutor(SENDERS) as pool:

        def send(row: Mapping[str, Any]) -> None:
            kind = "sentry" if row["source"] == "sentry" and "sentry" in sources else "standard"
            body, headers = (sentry if kind == "sentry" else standard)(row, sources[kind]["secret"])
            answer = client.post(sources[kind]["webhook"], content=body, headers=headers)
            tally.note(str(row["id"]), answer.status_code, answer.text)

        list(pool.map(send, rows))


def standard(row: Mapping[str, Any], secret: str) -> tuple[bytes, dict[str, str]]:
    """A row as a signed Standard Webhooks request."""
    data = {
        "id": str(row["id"]),
        "title": row.get("title") or "",
        "text": row.get("text") or "",
        "source": row["source"],
        "created_at": row["created_at"],
    }
    data |= {name: row[name] for name in ("author", "url") if row.get(name)}
    event = {"type": "feedback.created", "timestamp": row["created_at"], "data": data}
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
    """A row as a signed issue-alert webhook of Sentry."""
    extra = row.get("extra") or {}
    exception = extra.get("exception") or {}
    event = {
        "event_id": hashlib.md5(str(row["id"]).encode(), usedforsecurity=False).hexdigest(),
        "issue_id": str(row["id"]),
        "title": row["title"],
        "culprit": extra.get("culprit"),
        "level": extra.get("level", "error"),
        "platform": "python",
        "release": extra.get("release"),
        "environment": extra.get("environment"),
        "datetime": row["created_at"],
        "message": row.get("text"),
        "web_url": row.get("url"),
        "exception": {
            "values": [
                {
                    "type": exception.get("type"),
                    "value": exception.get("value"),
                    "stacktrace": {"frames": extra.get("frames", [])},
                }
            ]
        },
    }
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


class GitHubPeople:
    """People who open issues on the local GitHub, which then sends its webhooks."""

    def __init__(self, url: str, token: str, repository: str) -> None:
        self._client = httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60
        )
        self._repository = repository

    def create_repository(self, folder: str) -> None:
        """Make the repository of a folder's content, unless it is there."""
        body = {"full_name": self._repository, "path": folder}
        self._client.post("/_local/repositories", json=body).raise_for_status()

    def add_webhook(self, address: str, secret: str) -> int:
        """Have issue events sent to ``address``; returns the hook's id."""
        config = {"url": address, "secret": secret, "content_type": "json"}
        body = {"config": config, "events": ["issues"], "active": True}
        answer = self._client.post(f"/repos/{self._repository}/hooks", json=body)
        return int(answer.raise_for_status().json()["id"])

    def open_issues(self, rows: Iterable[Mapping[str, Any]], hook: int, tally: Tally) -> None:
        """Open an issue for each row, and count how its webhook was answered."""
        count = 0
        for row in rows:
            body = {
                "repo": self._repository,
                "user": row.get("author") or "somebody",
                "title": row["title"],
                "body": row.get("text") or "",
                "created_at": row["created_at"],
            }
            self._client.post("/_local/issues", json=body).raise_for_status()
            count += 1
        for delivery in self._deliveries(hook, count):
            tally.note(f"GitHub {delivery['guid']}", int(delivery["status_code"]), "")

    def _deliveries(self, hook: int, count: int) -> list[dict[str, Any]]:
        """The hook's deliveries once there are ``count``; GitHub sends them when it likes."""
        deadline = time.monotonic() + GITHUB_SECONDS
        while True:
            path = f"/repos/{self._repository}/hooks/{hook}/deliveries"
            found = self._client.get(path, params={"per_page": 100}).raise_for_status().json()
            # A delivery under way is listed as interrupted until it is answered.
            done: list[dict[str, Any]] = [
                d for d in found if d["event"] == "issues" and d["status"] != "interrupted"
            ]
            if len(done) >= count or time.monotonic() > deadline:
                return done
            time.sleep(0.1)

    def pull_request(self, number: int) -> dict[str, Any]:
        """A pull request as GitHub describes it."""
        answer = self._client.get(f"/repos/{self._repository}/pulls/{number}")
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


def post_submissions(url: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Post rows to their subreddits on the local Reddit."""
    with httpx.Client(base_url=url, timeout=60) as client:
        for row in rows:
            body = {
                "id": str(row["id"]).removeprefix("t3_"),
                "subreddit": (row.get("extra") or {}).get("subreddit", "larder"),
                "title": row["title"],
                "selftext": row.get("text") or "",
                "author": row.get("author") or "somebody",
                "created_utc": datetime.fromisoformat(row["created_at"]).timestamp(),
            }
            client.post("/_local/submissions", json=body).raise_for_status()
