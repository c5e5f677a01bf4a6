"""The text log of one attempt."""

import sys
import threading
from datetime import UTC, datetime

from soulcaster_agent.redact import Redactor

MOST_CHARACTERS = 2_000_000
MOST_PER_ENTRY = 8_000
CUT = "… (cut)"


class Log:
    """Collects what happened, redacted; entries may come from several threads.

    An entry is redacted before it is cut, so that no half of a secret stays.
    """

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._lock = threading.Lock()
        self._entries: list[str] = []
        self._size = 0

    def note(self, text: str) -> None:
        """Record what the supervisor did; also shown on standard output."""
        print(self._add(text), flush=True)

    def engine(self, text: str) -> None:
        """Record what the engine said or did."""
        self._add(text)

    def _add(self, text: str) -> str:
        text = self._redact(text.rstrip())
        if len(text) > MOST_PER_ENTRY:
            text = text[:MOST_PER_ENTRY] + CUT
        entry = f"{datetime.now(UTC):%H:%M:%S} {text}"
        with self._lock:
            if self._size <= MOST_CHARACTERS:
                self._size += len(entry)
                self._entries.append(entry if self._size <= MOST_CHARACTERS else CUT)
        return entry

    def text(self) -> str:
        """Return all entries so far, each on a line of its own."""
        with self._lock:
            return "\n".join(self._entries) + "\n"


def complain(text: str) -> None:
    """Say on standard error why the task ends without a report."""
    print(f"soulcaster-agent: {text}", file=sys.stderr, flush=True)
