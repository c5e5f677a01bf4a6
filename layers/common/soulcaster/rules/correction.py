"""People's corrections of the clustering: merge, split, move, and the undoing of each."""

from dataclasses import dataclass
from typing import Literal

Verb = Literal["merge", "split", "move"]

# One correction is one script, which the store runs while everybody else waits.
MAX_CLUSTERS = 50
MAX_ITEMS = 500
WHY_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided something, why, and when in ms."""

    who: str
    why: str
    at: int


class NotThere(Exception):  # noqa: N818 - an answer
    """There is no such thing in the project: ``what`` it is (cluster, feedback, correction)."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no such {what}")
        self.what = what


class Conflict(Exception):  # noqa: N818 - an answer
    """The present state does not allow it; the text says why, for people."""
