"""What a person types into a form, as themselves: ``POST /feedback`` by somebody signed in."""

from collections.abc import Mapping
from typing import Any, Final

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.reported import configure, polled, reported, verify
from soulcaster.rules.source import Source

__all__ = ("HEADERS", "LABEL", "SIGNING", "configure", "normalise", "polled", "verify")

HEADERS: tuple[str, ...] = ()
LABEL = "Form"
SIGNING: Final = "none"
PROGRAM: Final = None


def normalise(
    source: Source, headers: Mapping[str, str], payload: Any, received_at: int
) -> Feedback:
    """One item of feedback; whoever took it in has given it an id."""
    del headers
    return reported(source, payload, received_at)
