"""What surrounds the receiver's use case, and how each kind of source signs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from soulcaster.edges.lean import LeanError
from soulcaster.rules.quota import Standing
from soulcaster.rules.source import Source
from soulcaster.use_cases.receive import Answer, receive
from tests.rules.samples import NOW, github_issue, sentry_issue, source, standard_event
from tests.rules.signed import HEX_SECRET, STANDARD_SECRET, hex_hmac, standard_headers

SOURCES = {
    one.id: one
    for one in (
        source("github", HEX_SECRET),
        source("sentry", HEX_SECRET),
        source("standard", STANDARD_SECRET),
        source("reddit"),
    )
}
SIGNED = ["github", "sentry", "standard"]
PAYLOADS: dict[str, Any] = {
    "github": github_issue(),
    "sentry": sentry_issue(),
    "standard": standard_event(),
}


@dataclass
class Outside:
    """The store and the queue: what was asked of them, and whether they answer."""

    sources: Mapping[str, Source] = field(default_factory=lambda: SOURCES)
    store_up: bool = True
    queue_up: bool = True
    asked: list[bool] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    remembered: Standing | None = None
    as_it_is: Standing | None = None
    took_items: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[tuple[str, str, str]] = field(default_factory=list)

    def find(self, project: str, source_id: str, now: int, *, fresh: bool) -> Source | None:
        """The source, noting whether something fresh was asked for."""
        self.asked.append(fresh)
        if not self.store_up:
            raise LeanError("the store")
        return self.sources.get(source_id) if project == "larder" else None

    def taken(self, source: Source, now: int) -> int:
        """What was taken of any source."""
        return len(self.took_items)

    def standing(self, project: str) -> Standing | None:
        """What the test says."""
        return self.remembered

    def took(self, source: Source, items: int, now: int) -> None:
        """Note how many items."""
        self.took_items.append(items)

    def refused_rate(self, source: Source, now: int) -> None:
        """Note that it was."""
        self.refused.append("rate")

    def refused_quota(self, source: Source, now: int) -> Standing | None:
        """Note that it may be, and say how things stand."""
        self.refused.append("quota")
        return self.as_it_is

    def note(self, source: Source, what: str, error: str, now: int) -> None:
        """Note the note."""
        self.notes.append((source.id, what, error))

    def send(self, message: str) -> None:
        """Take a message."""
        if not self.queue_up:
            raise LeanError("the queue")
        self.queued.append(message)

    def receive(
        self, kind: str, headers: Mapping[str, str], body: bytes, project: str = "larder"
    ) -> Answer:
        """Deliver to the source of that kind."""
        return receive(
            project,
            f"src_larder_{kind}",
            headers,
            body,
            known=self,
            send=self.send,
            now=NOW,
        )


def signed(kind: str, body: bytes) -> dict[str, str]:
    """The headers with which that kind of source sends ``body``."""
    if kind == "standard":
        return standard_headers(body)
    if kind == "github":
        return {"x-github-event": "issues", "x-hub-signature-256": "sha256=" + hex_hmac(body)}
    return {"sentry-hook-resource": "issue", "sentry-hook-signature": hex_hmac(body)}


def whole(kind: str) -> bytes:
    """A body of that kind that is feedback."""
    return json.dumps(PAYLOADS[kind]).encode()
