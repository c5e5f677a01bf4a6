"""What a script reports with a key: ``POST /feedback``."""

from typing import Final

from soulcaster.rules.bare_source import configure, polled, verify
from soulcaster.rules.reported import submitted as normalise

__all__ = ("HEADERS", "LABEL", "PROGRAM", "SIGNING", "configure", "normalise", "polled", "verify")

HEADERS: tuple[str, ...] = ()
LABEL = "API"
SIGNING: Final = "none"
PROGRAM: Final = None
