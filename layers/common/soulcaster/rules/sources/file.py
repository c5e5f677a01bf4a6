"""A row of a file that was imported; see ``soulcaster.rules.rows``."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from soulcaster.rules.bare_source import configure, polled, verify
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.reported import reported
from soulcaster.rules.source import Source

__all__ = ("HEADERS", "LABEL", "PROGRAM", "SIGNING", "configure", "normalise", "polled", "verify")

HEADERS: tuple[str, ...] = ()
LABEL = "File"
SIGNING: Final = "none"
PROGRAM: Final = None


def normalise(
    source: Source, headers: Mapping[str, str], payload: Any, received_at: int
) -> Feedback:
    """One item of feedback; without an id it is known by all that its row holds."""
    del headers
    if not isinstance(payload.get("resolved", False), bool):
        raise Unreadable("resolved", "is neither true nor false")
    row = json.dumps(payload, sort_keys=True).encode()
    return reported(source, payload, received_at, otherwise=hashlib.sha256(row).hexdigest()[:40])
