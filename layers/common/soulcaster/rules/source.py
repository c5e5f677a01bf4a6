"""A source: one place that feedback of a project comes from."""

import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where feedback comes from, and the secrets its deliveries are signed with.

    ``secrets`` are all accepted, so one can be replaced without losing a delivery.
    ``config`` holds what the kind needs: ``subreddits`` (reddit), ``repository`` (github).
    """

    id: str
    project: str
    kind: str
    name: str
    secrets: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The stored form."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Source":
        """What ``to_json`` wrote."""
        stored = json.loads(text)
        return cls(**{**stored, "secrets": tuple(stored["secrets"])})


def any_equal(given: str, expected: Iterable[str]) -> bool:
    """Whether ``given`` is one of ``expected``, in time that does not tell which."""
    found = False
    for one in expected:
        found |= hmac.compare_digest(given.encode("utf-8", "replace"), one.encode())
    return found
