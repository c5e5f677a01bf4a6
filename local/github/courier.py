"""Sends webhook deliveries, one after the other, each once: GitHub doesn't try again."""

import hashlib
import hmac
import sys
import threading
import time

import httpx

from local.github.call import now_iso
from local.github.store import Row, Store

TIMEOUT_SECONDS = 10
_KEPT_OF_RESPONSE = 2_000


class Courier:
    """Deliveries recorded before the process was killed are sent after the next start."""

    def __init__(self, store: Store, app_id: str) -> None:
        self._store = store
        self._app_id = app_id
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._wake.set()
        self._thread.start()

    def wake(self) -> None:
        """Tell the courier that something is due."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the delivery under way, then return."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(TIMEOUT_SECONDS + 1)

    def _run(self) -> None:
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            while not self._stopping.is_set():
                self._wake.wait()
                self._wake.clear()
                while not self._stopping.is_set() and (due := self._take()):
                    self._deliver(client, due)

    def _take(self) -> Row | None:
        """The next delivery, marked as attempted so that it's never sent twice."""
        with self._store.transaction():
            row = self._store.one(
                "SELECT deliveries.*, url, secret, repository_id FROM deliveries"
                " JOIN hooks ON hooks.id = hook_id WHERE delivered_at IS NULL"
                " ORDER BY deliveries.id LIMIT 1"
            )
            if row:
                self._store.write(
                    "UPDATE deliveries SET delivered_at = ? WHERE id = ?", now_iso(), row["id"]
                )
        return row

    def _deliver(self, client: httpx.Client, row: Row) -> None:
        began = time.monotonic()
        try:
            answer = client.post(row["url"], content=row["payload"], headers=self._headers(row))
            code, status = answer.status_code, answer.reason_phrase
            text = answer.text[:_KEPT_OF_RESPONSE]
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            timed_out = isinstance(error, httpx.TimeoutException)
            code, status, text = 0, "timed out" if timed_out else "failed to connect", ""
        if not 200 <= code < 300:
            print(
                f"github: {row['event']} not accepted by {row['url']}: {code} {status}",
                file=sys.stderr,
            )
        self._store.write(
            "UPDATE deliveries SET status = ?, status_code = ?, duration = ?, response = ?"
            " WHERE id = ?",
            status,
            code,
            round(time.monotonic() - began, 2),
            text,
            row["id"],
        )

    def _headers(self, row: Row) -> dict[str, str]:
        of_app = row["repository_id"] is None
        headers = {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/local",
            "X-GitHub-Delivery": row["guid"],
            "X-GitHub-Event": row["event"],
            "X-GitHub-Hook-ID": str(row["hook_id"]),
            "X-GitHub-Hook-Installation-Target-ID": (
                self._app_id if of_app else str(row["repository_id"])
            ),
            "X-GitHub-Hook-Installation-Target-Type": "integration" if of_app else "repository",
        }
        if row["secret"]:
            digest = hmac.new(row["secret"].encode(), row["payload"].encode(), hashlib.sha256)
            headers["X-Hub-Signature-256"] = f"sha256={digest.hexdigest()}"
        return headers
