"""The record of what the engine and the model said to each other."""

import json
import threading
from typing import Any

from soulcaster_agent.redact import Redactor

MOST_BYTES = 4_000_000


class Conversation:
    """One JSON line for each call: its new messages, its answer, its status and tokens.

    An engine sends the whole conversation with each call; what an earlier call held
    in the same place is not recorded again. Redacted, and cut after 4 MB.
    """

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._lock = threading.Lock()
        self._known: list[str] = []
        self._lines: list[bytes] = []
        self._size = 0

    def add(
        self, messages: list[Any], answer: str, status: int, used: tuple[int, int] | None
    ) -> None:
        """Record a call; for several threads."""
        shown = [json.dumps(each, ensure_ascii=False) for each in messages]
        with self._lock:
            same = 0
            while same < min(len(shown), len(self._known)) and shown[same] == self._known[same]:
                same += 1
            self._known = shown
            entry = {
                "same": same,
                "messages": messages[same:],
                "status": status,
                "answer": answer,
                "tokens": used,
            }
            line = json.dumps(self._redact.document(entry), ensure_ascii=False).encode() + b"\n"
            self._size += len(line)
            if self._size <= MOST_BYTES:
                self._lines.append(line)

    def content(self) -> bytes:
        """Return the record so far, as JSON lines."""
        with self._lock:
            cut = b'{"cut": true}\n' if self._size > MOST_BYTES else b""
            return b"".join(self._lines) + cut
