"""The secrets that a source's deliveries are signed with: made or given, and replaced."""

import base64
import secrets
from dataclasses import replace
from typing import Final, Literal

from soulcaster.rules.payload import Unreadable
from soulcaster.rules.source import Retiring, Source

MOST_RETIRING: Final = 3
OVERLAP_SECONDS: Final = 24 * 60 * 60
MOST_OVERLAP_SECONDS: Final = 7 * OVERLAP_SECONDS

type Signing = Literal["made", "given", "none"]


class TooManySecrets(ValueError):  # noqa: N818 - a state of the source
    """As many replaced secrets as there may be are accepted still."""


def chosen(signing: Signing, given: str | None) -> str | None:
    """The secret of a source of such a kind: ``given``, or made here; None where it has none.

    Raises ``Unreadable`` naming ``secret`` for one that is missing or of no use.
    """
    if signing == "none":
        if given is not None:
            raise Unreadable("secret", "a source of this kind has none: nothing of it is signed")
        return None
    if signing == "given" and given is None:
        raise Unreadable("secret", "is missing; the sender makes it, so copy it from there")
    return given or new_secret()


def new_secret() -> str:
    """32 random bytes in the form that Standard Webhooks asks for; other senders take any text."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def rotated(source: Source, secret: str, now: int, overlap_seconds: int) -> Source:
    """``source`` with ``secret`` in place of what it had, which is accepted for a while yet.

    Without an overlap nothing else is accepted from now on, also not what was replaced earlier.
    Raises ``TooManySecrets``.
    """
    if overlap_seconds == 0:
        return replace(source, secrets=(secret,), retiring=())
    until = now + overlap_seconds * 1000
    old = (*current(source, now).retiring, *(Retiring(one, until) for one in source.secrets))
    retiring = tuple(one for one in old if one.secret != secret)
    if len(retiring) > MOST_RETIRING:
        raise TooManySecrets
    return replace(source, secrets=(secret,), retiring=retiring)


def current(source: Source, now: int) -> Source:
    """``source`` without secrets whose time is over."""
    return replace(source, retiring=tuple(one for one in source.retiring if now < one.until))
