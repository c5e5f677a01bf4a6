"""What kinds of source have in common that need no setting, fetch nothing or send no webhooks."""

from collections.abc import Mapping, Sequence
from typing import Any

from soulcaster.rules.payload import no_more_than


def configure(config: Mapping[str, Any]) -> dict[str, Any]:
    """There is nothing to set."""
    no_more_than(config)
    return {}


def polled(config: Mapping[str, Any]) -> bool:
    """Never."""
    del config
    return False


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> bool:
    """Never: it comes in by our own doors, and no webhook can be of this kind."""
    del headers, body, secrets, now
    return False
