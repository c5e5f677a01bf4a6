"""A page of a list, and where the next one starts."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_SCORE = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class Page[T]:
    """``next_cursor`` is None on the last page; ``total`` counts the whole list."""

    items: Sequence[T]
    next_cursor: str | None
    total: int


def page_from[T](found: Sequence[Any], view: Callable[[Any], T]) -> Page[T] | None:
    """What a script that reads a page returned, as a page of what ``view`` makes of each record.

    That is {records, position or '', total}, or {} for None.
    """
    if not found:
        return None
    records, after, total = found
    cursor = encode_cursor(after) if after else None
    return Page([view(record) for record in records], cursor, int(total))


def encode_cursor(position: str) -> str:
    """A position in a list, as callers get to see it."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str:
    """The position in a cursor, '' for none; raises ValueError for what is no cursor."""
    if not cursor:
        return ""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        score, _, identifier = position.partition(":")
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise ValueError("cursor: is none of ours") from error
    if not identifier or not _SCORE.fullmatch(score):
        raise ValueError("cursor: is none of ours")
    return position
