"""A source: one place that feedback of a project comes from."""

import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from soulcaster.rules.filters import Filters


@dataclass(frozen=True, slots=True)
class Retiring:
    """A secret that was replaced, and until when (ms) it is accepted all the same."""

    secret: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where feedback comes from, and the secrets its deliveries are signed with.

    ``secrets`` are accepted until they are replaced, ``retiring`` ones until their time.
    ``config`` holds what the kind asks for; see its ``configure``. What a source that is not
    ``enabled`` sends, and what its ``filters`` keep out, is none of our business. ``per_minute`` is
    how many deliveries it may make in a minute.
    """

    id: str
    project: str
    kind: str
    name: str
    secrets: tuple[str, ...] = ()
    retiring: tuple[Retiring, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    enabled: bool = True
    per_minute: int = 600
    filters: Filters = field(default_factory=Filters)

    def accepted(self, now: int) -> tuple[str, ...]:
        """The secrets that may sign what is received at ``now`` (ms)."""
        return (*self.secrets, *(one.secret for one in self.retiring if now < one.until))

    def to_json(self) -> str:
        """The stored form."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Source":
        """What ``to_json`` wrote, now or before there were all of these fields."""
        stored = json.loads(text)
        return cls(
            **{
                **stored,
                "secrets": tuple(stored["secrets"]),
                "retiring": tuple(Retiring(**one) for one in stored.get("retiring", ())),
                "filters": Filters.of(stored.get("filters", {})),
            }
        )


def any_equal(given: str, expected: Iterable[str]) -> bool:
    """Whether ``given`` is one of ``expected``, in time that does not tell which."""
    found = False
    for one in expected:
        found |= hmac.compare_digest(given.encode("utf-8", "replace"), one.encode())
    return found
