"""What a run of tests printed, as much of it as people will read."""

import re
import threading
from collections import deque

from soulcaster_agent.redact import Redactor

MOST_CHARACTERS = 40_000
CUT = "\n… (cut here)\n"
HALF = MOST_CHARACTERS // 2 - len(CUT)


class Recorder:
    """Keeps the beginning and the end of an output, and remembers which patterns it saw.

    Takes lines from one thread and questions from others. Holds no more than some
    multiples of what it returns, however much is printed.
    """

    def __init__(self, redact: Redactor, *patterns: re.Pattern[str] | None) -> None:
        self._redact = redact
        self._patterns = {each for each in patterns if each is not None}
        self._seen: set[re.Pattern[str]] = set()
        self._lock = threading.Lock()
        self._start: list[str] = []
        self._end: deque[str] = deque()
        self._start_size = self._end_size = 0
        self._lost = False

    def add(self, line: str) -> None:
        """Record a line without its end."""
        if len(line) > MOST_CHARACTERS:
            # Redacted before it is cut, so that no half of a secret stays.
            line = cut_middle(self._redact(line))
        with self._lock:
            self._seen |= {each for each in self._patterns - self._seen if each.search(line)}
            if not self._end and self._start_size + len(line) < HALF:
                self._start.append(line)
                self._start_size += len(line) + 1
                return
            self._end.append(line)
            self._end_size += len(line) + 1
            while self._end_size - len(self._end[0]) - 1 > HALF:
                self._end_size -= len(self._end.popleft()) + 1
                self._lost = True

    def saw(self, pattern: re.Pattern[str] | None) -> bool:
        """Whether the pattern was found in a line; there is nothing to find for None."""
        with self._lock:
            return pattern in self._seen

    def text(self) -> str:
        """Return what was recorded, redacted, in at most 40,000 characters."""
        with self._lock:
            parts = [*self._start, *([CUT.strip()] if self._lost else []), *self._end]
        return cut_middle(self._redact("\n".join(parts)))


def cut_middle(text: str) -> str:
    """Leave the middle out of a text that is too long."""
    if len(text) <= MOST_CHARACTERS:
        return text
    return text[:HALF] + CUT + text[-HALF:]
