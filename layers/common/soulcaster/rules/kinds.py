"""What a kind of source provides, and all kinds that there are.

Every module of ``soulcaster.rules.sources`` is a kind, called after its file; docs/sources/new.md
shows how to write one.
"""

import pkgutil
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Literal, Protocol, cast

from soulcaster.rules import sources
from soulcaster.rules.readings import Reading
from soulcaster.rules.source import Source


class Kind(Protocol):
    """How one kind of source is set up, verified and read."""

    @property
    def LABEL(self) -> str:  # noqa: N802 - a module's constant, as are the next
        """What people call it."""

    @property
    def HEADERS(self) -> tuple[str, ...]:  # noqa: N802
        """The request headers it needs, in lower case."""

    @property
    def SIGNING(self) -> Literal["made", "given", "none"]:  # noqa: N802
        """Whether we make the secret, the vendor does, or there is none: it sends no webhooks."""

    @property
    def PROGRAM(self) -> str | None:  # noqa: N802
        """What people call an item that a program reports; None where people report."""

    def configure(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """What is to be kept of the ``config`` that somebody wants; raises ``Unreadable``."""

    def polled(self, config: Mapping[str, Any]) -> bool:
        """Whether a source of that configuration is read on a schedule."""

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int
    ) -> bool:
        """Whether one of ``secrets`` signed the raw ``body``; ``now`` in ms."""

    def normalise(
        self, source: Source, headers: Mapping[str, str], payload: Any, received_at: int
    ) -> Reading | tuple[Reading, ...] | str:
        """What a payload says, or why it is none of our business.

        Raises ``Unreadable`` where the payload is not what the source documents.
        """


def _found() -> dict[str, Kind]:
    names = sorted(module.name for module in pkgutil.iter_modules(sources.__path__))
    return {name: cast("Kind", import_module(f"{sources.__name__}.{name}")) for name in names}


KINDS = _found()

# Kept with an accepted delivery, so that it can be verified again later.
KEPT_HEADERS = frozenset(name for kind in KINDS.values() for name in kind.HEADERS)
