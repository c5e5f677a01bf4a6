"""What mini-swe-agent prints on its way, turned into entries of the log."""

import re

from soulcaster_agent.log import Log

HEADING = re.compile(
    r"mini-swe-agent \(step \d+, \$[\d.]+\):|(System|User|Assistant|Tool|Exit|Unknown):"
)
RULE = re.compile(r"─{20,}")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
# The task is known, and the end is told by the outcome.
LEFT_OUT = ("System", "Exit")


class Transcript:
    """Collects the lines of a message and logs them together.

    What comes before the first message matters only if there is none: then it did not start.
    A line that looks like a heading only cuts an entry in two: nothing but the log is made from it.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lines: list[str] = []
        self._heading: str | None = None
        self._has_begun = False

    def read(self, line: str) -> None:
        """Take in one line."""
        line = ANSI.sub("", line)
        if RULE.fullmatch(line):
            self.end()
            self._has_begun = True
        elif heading := HEADING.fullmatch(line):
            if self._heading is None:
                self._lines.clear()
            self.end()
            self._heading = heading[1] or ""
        else:
            self._lines.append(line)

    def end(self) -> None:
        """Log what was collected; also to be called when there are no more lines."""
        # Before the first step, a user's message is the task.
        told = self._heading in LEFT_OUT or (self._heading == "User" and not self._has_begun)
        if (text := "\n".join(self._lines).strip()) and not told:
            self._log.engine(text)
        self._lines, self._heading = [], ""
