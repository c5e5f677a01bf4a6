"""The text log of one attempt."""

import sys
import threading
from datetime import UTC, datetime

from soulcaster_agent.redact import Redactor

MOST_CHARACTERS = 2_000_000
MOST_PER_ENTRY = 8_000
CUT = "… (cut)"
# What can be followed while it happens, and how much of it goes out at once.
MOST_LIVE = 2_000
MOST_LIVE_CHARACTERS = 2_000
MOST_AT_ONCE = 200
MOST_BYTES_AT_ONCE = 200_000
REST = "… the log goes on; all of it can be downloaded when the attempt has ended"


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

    @property
    def live(self) -> int:
        """How many entries can be followed so far."""
        with self._lock:
            return min(len(self._entries), MOST_LIVE)

    def page(self, start: int) -> list[str]:
        """Return entries to follow, from number ``start`` on, as many as go out at once.

        There are at most 2,000 of 2,000 characters in all; the last one says that there is more.
        """
        with self._lock:
            found = self._entries[start : min(start + MOST_AT_ONCE, MOST_LIVE)]
        if found and start + len(found) == MOST_LIVE:
            found[-1:] = [REST]
        page, size = [], 0
        for entry in found:
            shown = shortened(entry)
            size += len(shown.encode())
            if size > MOST_BYTES_AT_ONCE:
                break
            page.append(shown)
        return page


def shortened(entry: str) -> str:
    """Cut an entry to what is shown to those who follow."""
    if len(entry) <= MOST_LIVE_CHARACTERS:
        return entry
    return entry[: MOST_LIVE_CHARACTERS - len(CUT)] + CUT


def complain(text: str) -> None:
    """Say on standard error why the task ends without a report."""
    print(f"soulcaster-agent: {text}", file=sys.stderr, flush=True)
