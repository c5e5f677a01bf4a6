"""What the demo prints: lines, and one that tells how far it is."""

import sys
import time

SPARSE_SECONDS = 15
SMOOTH_SECONDS = 0.1


class Screen:
    """A terminal shows progress on a line that changes; anything else gets a line now and then."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._shown = ""
        self._said = time.monotonic()
        self._moved = 0.0

    def say(self, line: str = "") -> None:
        """Print a line for good."""
        self.clear()
        print(line, flush=True)
        self._said = time.monotonic()

    def progress(self, text: str) -> None:
        """Show how far it is, in place of what was shown before."""
        now = time.monotonic()
        if text == self._shown:
            return
        if self._terminal and now - self._moved > SMOOTH_SECONDS:
            print(f"\r\x1b[K  {text}", end="", flush=True)
            self._shown, self._moved = text, now
        elif not self._terminal and now - self._said > SPARSE_SECONDS:
            self.say(f"  {text}")
            self._shown = text

    def clear(self) -> None:
        """Take the progress away."""
        if self._terminal and self._shown:
            print("\r\x1b[K", end="", flush=True)
        self._shown = ""
