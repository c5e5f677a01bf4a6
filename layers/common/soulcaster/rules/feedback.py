"""One normal form for everything that anybody reports."""

import html
import json
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from soulcaster.rules import ids

Severity = Literal["fatal", "error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "fatal")

TITLE_CHARS = 300
BODY_CHARS = 60_000
EMBEDDED_BODY_CHARS = 1_500  # what the shipped thresholds were measured with

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_CODE_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)
# Bounded, so that 60,000 brackets take no longer than 60,000 other characters.
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^)\s]{0,2000}\)")
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]+", re.MULTILINE)
# Zero-width and bidirectional controls, tags and supplementary variation selectors: they can
# hide text from people and not from a model.
_INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Unreadable(ValueError):  # noqa: N818 - it is about the payload, not about us
    """A payload is not what its source's documentation says.

    ``field`` names the part at fault, in the payload's own words.
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What one person or program reported, in the form everything else works with.

    Times are milliseconds since 1970 in UTC. ``version`` orders the states of one item
    that its source sent over time: whatever order they arrive in, the highest ``(rank,
    version)`` is what is kept. ``text`` is what is embedded: the words without markup and
    without any label of ours, so no language is favoured.
    """

    project: str
    source: str  # the kind: sentry, github, reddit, standard
    source_id: str
    channel: str  # where it was said, in the source's words: a subreddit, a repository, "email"
    external_id: str
    title: str
    body: str
    author: str | None
    url: str | None
    severity: Severity | None
    occurrences: int
    created_at: int
    received_at: int
    version: int
    rank: int = 0  # a richer view of the same thing outranks a newer thin one
    open: bool = True  # false when its source says that it is settled
    open_at: int | None = None  # when that was so, where ``version`` does not tell
    occurrence_id: str | None = None  # counts once, however often it is delivered
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The item's id: the same for every delivery of it."""
        # Vendors' ids are unique in the vendor's own space; a custom source's only in itself.
        space = self.source_id if self.source == "standard" else self.source
        return ids.feedback_id(self.project, space, self.external_id)

    @property
    def text(self) -> str:
        """What is embedded: title, a blank line and the body, cut."""
        return embedding_text(self.title, self.body)

    @property
    def document(self) -> str:
        """The stored JSON; equal content gives equal text."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @property
    def text_hash(self) -> str:
        """Changes when, and only when, the item must be embedded again."""
        return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def clean(text: str, limit: int) -> str:
    """``text`` without invisible and control characters, cut to ``limit`` characters."""
    text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates can't be stored
    return _CONTROL.sub("", _INVISIBLE.sub("", text)).strip()[:limit].rstrip()


def plain(text: str) -> str:
    """``text`` without comments, tags and markdown marks; what people read of it."""
    text = _COMMENT.sub(" ", text)
    text = _INVISIBLE.sub("", html.unescape(_TAG.sub(" ", text)))
    text = _LINK.sub(r"\1", _CODE_FENCE.sub("", text))
    return re.sub(r"[ \t]+", " ", re.sub(r"\n\s*\n+", "\n\n", _HEADING.sub("", text))).strip()


def embedding_text(title: str, body: str) -> str:
    """Title, a blank line and the body cut at 1,500 characters; either may be missing."""
    return "\n\n".join(p for p in (plain(title), plain(body)[:EMBEDDED_BODY_CHARS].strip()) if p)


def title_and_body(title: str, body: str, where: str) -> tuple[str, str]:
    """Both cleaned; a missing title is the body's first line.

    Raises ``Unreadable`` naming ``where`` when neither says anything.
    """
    title, body = clean(title, TITLE_CHARS), clean(body, BODY_CHARS)
    if not title:
        title = clean(plain(body).split("\n", 1)[0], 120)
    if not title:
        raise Unreadable(where, "says nothing")
    return title, body


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


def link(value: object) -> str | None:
    """An http(s) address of a sensible length, or None: others are never stored as links."""
    if isinstance(value, str) and len(value) <= 2000 and re.match(r"https?://[^\s<>\"']+\Z", value):
        return value
    return None
