"""What is said in a text: without what hides, without markup, and as it is embedded."""

import html
import re

TITLE_CHARS = 300
BODY_CHARS = 60_000
FIRST_LINE_CHARS = 120  # of a body, which stands in for a title
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
    """Title, a blank line and the body cut at 1,500 characters; either may be missing.

    A title that the body begins with is left out, so that nothing counts twice.
    """
    title, body = plain(title), plain(body)[:EMBEDDED_BODY_CHARS].strip()
    return body if _begins(body, title) else "\n\n".join(part for part in (title, body) if part)


def _begins(body: str, title: str) -> bool:
    """Whether ``body`` starts with the title's words, the last of which may be cut."""
    words = " ".join(title.casefold().split()).rstrip("….")
    start = " ".join(body.casefold().split())[: len(words) + 1]
    ended = start[len(words) :]
    return start.startswith(words) and (not ended.isalnum() or len(title) >= FIRST_LINE_CHARS)
