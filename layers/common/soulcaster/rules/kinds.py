"""What a kind of source provides, and the list of all kinds."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.pull_news import News
from soulcaster.rules.source import Source
from soulcaster.rules.sources import github, reddit, sentry, standard


class Kind(Protocol):
    """How one kind of source is verified and read."""

    @property
    def HEADERS(self) -> tuple[str, ...]:  # noqa: N802 - a module's constant
        """The request headers it needs, in lower case."""

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int
    ) -> bool:
        """Whether one of ``secrets`` signed the raw ``body``; ``now`` in ms."""

    def normalise(
        self, source: Source, headers: Mapping[str, str], payload: Any, received_at: int
    ) -> Feedback | News | str:
        """The feedback or the pull request's news in a payload, or why it is none of our business.

        Raises ``Unreadable`` where the payload is not what the source documents.
        """


KINDS: dict[str, Kind] = {
    "github": github,
    "reddit": reddit,
    "sentry": sentry,
    "standard": standard,
}

# Kept with an accepted delivery, so that it can be verified again later.
KEPT_HEADERS = frozenset(name for kind in KINDS.values() for name in kind.HEADERS)
