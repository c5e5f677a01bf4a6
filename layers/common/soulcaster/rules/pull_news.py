"""What GitHub says of a pull request after it was opened: what became of it, and its checks.

Deliveries come in any order and more than once. Each piece of news has a version; whatever order
they are applied in, the highest counts. GitHub's times are whole seconds, so within a second the
more final news is the higher one.
"""

from dataclasses import dataclass
from typing import Final, Literal

PullState = Literal["open", "closed", "merged"]
Checks = Literal["pending", "passing", "failing"]

_RANKS: Final[dict[PullState, int]] = {"open": 0, "closed": 2, "merged": 4}
_CHECK_RANKS: Final[dict[Checks, int]] = {"pending": 0, "passing": 1, "failing": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class PullNews:
    """A pull request as it was at ``at`` (ms): ``what`` happened, for people, and how it is now.

    ``repository`` is "owner/name" in lower case; ``head`` is the commit that its branch points at.
    """

    project: str
    repository: str
    number: int
    what: str
    state: PullState
    draft: bool
    head: str
    at: int
    received_at: int

    @property
    def version(self) -> int:
        """Orders the news of one pull request."""
        return version(self.at, self.state, draft=self.draft)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckNews:
    """What one suite of checks says at ``at`` (ms) of the commit ``head``.

    ``numbers`` are the pull requests of ``repository`` (in lower case) that GitHub names with it.
    """

    project: str
    repository: str
    numbers: tuple[int, ...]
    suite: int
    head: str
    checks: Checks
    at: int
    received_at: int

    @property
    def version(self) -> int:
        """Orders the news of one suite."""
        return self.at * 10 + _CHECK_RANKS[self.checks]


type News = PullNews | CheckNews


def version(at: int, state: PullState, *, draft: bool) -> int:
    """The version of a pull request that was in ``state`` at ``at`` (ms)."""
    return at * 10 + _RANKS[state] + (0 if draft else 1)
