"""Reads what sources send; what is not as documented is ``Unreadable``, and named."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from soulcaster.rules.text import BODY_CHARS, FIRST_LINE_CHARS, TITLE_CHARS, clean, plain


class Unreadable(ValueError):  # noqa: N818 - it is about the payload, not about us
    """A payload is not what its source's documentation says.

    ``field`` names the part at fault, in the payload's own words.
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


def milliseconds(value: object, where: str) -> int:
    """An ISO 8601 text or seconds since 1970, as milliseconds; raises ``Unreadable``."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if 0 <= value < 4_102_444_800:  # 2100
            return int(value * 1000)
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment and 1970 < moment.year < 2100:
            return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
    raise Unreadable(where, "is not a time")


def member(payload: object, path: str, kind: type[Any] | tuple[type[Any], ...]) -> Any:
    """The member of nested objects at a dotted ``path``; raises ``Unreadable`` naming it."""
    value = payload
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Unreadable(path, "is missing" if value is None else "has the wrong type")
    return value


def optional(payload: object, path: str, kind: type[Any] | tuple[type[Any], ...]) -> Any:
    """Like ``member``, but None where it is missing or null."""
    value = payload
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return None if value is None else member(payload, path, kind)


def no_more_than(config: Mapping[str, Any], *names: str) -> None:
    """Raise ``Unreadable`` when a source's configuration has what its kind does not know."""
    for name in config:
        if name not in names:
            raise Unreadable(f"config.{name}"[:80], "is no setting of this kind")


def link(value: object) -> str | None:
    """An http(s) address of a sensible length, or None: others are never stored as links."""
    if isinstance(value, str) and len(value) <= 2000 and re.match(r"https?://[^\s<>\"']+\Z", value):
        return value
    return None


def title_and_body(title: str, body: str, where: str) -> tuple[str, str]:
    """Both cleaned; a missing title is the body's first line.

    Raises ``Unreadable`` naming ``where`` when neither says anything.
    """
    title, body = clean(title, TITLE_CHARS), clean(body, BODY_CHARS)
    if not title:
        title = clean(plain(body).split("\n", 1)[0], FIRST_LINE_CHARS)
    if not title:
        raise Unreadable(where, "is empty")
    return title, body
