"""What a person types into a form, as themselves: ``POST /feedback`` by somebody signed in."""

from typing import Final

from soulcaster.rules.bare_source import configure, polled, verify
from soulcaster.rules.reported import submitted as normalise

__all__ = ("HEADERS", "LABEL", "PROGRAM", "SIGNING", "configure", "normalise", "polled", "verify")

HEADERS: tuple[str, ...] = ()
LABEL = "Form"
SIGNING: Final = "none"
PROGRAM: Final = None
