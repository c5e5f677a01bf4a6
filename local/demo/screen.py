"""What the demo prints: lines, and one that tells how far it is."""

import sys
import time

SPARSE_SECONDS = 15


class Screen:
    """A terminal shows progress on a line that changes; anything else gets a line now and then."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._shown = ""
        self._said = time.monotonic()

    def say(self, line: str = "") -> None:
        """Print a line for good."""
        self.clear()
        print(line, flush=True)
        self._said = time.monotonic()

    def progress(self, text: str) -> None:
        """Show how far it is, in place of what was shown before."""
        if self._terminal:
            if text != self._shown:
                print(f"\r\x1b[K  {text}", end="", flush=True)
                self._shown = text
        elif text != self._shown and time.monotonic() - self._said > SPARSE_SECONDS:
            self.say(f"  {text}")
            self._shown = text

    def clear(self) -> None:
        """Take the progress away."""
        if self._terminal and self._shown:
            print("\r\x1b[K", end="", flush=True)
        self._shown = ""
