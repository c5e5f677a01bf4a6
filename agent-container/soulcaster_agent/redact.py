"""Secrets are taken out of everything that leaves the task as text."""

import base64
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "[redacted]"

# By prefix and not by length: GitHub's installation tokens are growing. The escapes of JSON
# and of URLs end in letters and digits, after which no word begins.
PATTERNS = re.compile(
    r"""
    (?: \b | (?<=\\[bfnrt]) | (?<=\\u[0-9A-Fa-f]{4}) | (?<=%[0-9A-Fa-f]{2}) )
    (?: gh[pousr]_[A-Za-z0-9_.\-]+
      | github_pat_[A-Za-z0-9_]+
      | sk-[A-Za-z0-9_\-]{16,}
      | AIza[A-Za-z0-9_\-]{16,}
      | (?:AKIA|ASIA)[A-Z0-9]{16}\b
      | xox[abeoprs]-[A-Za-z0-9\-]+
      | eyJ[A-Za-z0-9_\-]{1,1000}\.[A-Za-z0-9_\-]{1,8000}\.[A-Za-z0-9_\-]*
    )
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
SHORTEST = 8


class Redactor:
    """Replaces known values and whatever looks like a key.

    Values shorter than 8 characters are left alone: they protect nothing and would
    cut holes into ordinary words. Of a value in base64 up to five bits may stay at
    either end, where it shares a character with its neighbours.
    """

    def __init__(self, known: list[str] | None = None) -> None:
        self._known: list[str] = []
        self.add(known or [])

    def add(self, values: list[str]) -> None:
        """Hide these values too, as they are and as they are commonly encoded."""
        for value in values:
            if len(value) >= SHORTEST:
                self._known += forms(value)
        # The longest first, so that no value is left with the end of a longer one.
        self._known = sorted(set(self._known), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text with each secret replaced, and fit for UTF-8."""
        # JSON may hold halves of surrogate pairs, which no encoder takes.
        text = text.encode(errors="replace").decode()
        for value in self._known:
            text = text.replace(value, HIDDEN)
        return PATTERNS.sub(HIDDEN, text)

    def document(self, value: Any) -> Any:
        """Return a JSON value with each of its texts redacted, so that it stays JSON."""
        try:
            return self._walk(value)
        except RecursionError:
            return HIDDEN

    def _walk(self, value: Any) -> Any:
        match value:
            case str():
                return self(value)
            case dict():
                return {self(str(key)): self._walk(each) for key, each in value.items()}
            case list() | tuple():
                return [self._walk(each) for each in value]
        return value


def forms(value: str) -> set[str]:
    """Return a value as it may stand in texts: plain, in URLs, in JSON, in base64."""
    escaped = json.dumps(value)[1:-1]
    urls = {quote(value), quote(value, safe=""), quote_plus(value)}
    found = {
        value,
        *urls,
        *(re.sub("%..", lambda hexed: hexed[0].lower(), each) for each in urls),
        escaped,
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(escaped)[1:-1],  # JSON in a text of JSON, as tools are called
        escaped.replace("/", "\\/"),
        escaped.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
        basic_credentials(value),
    }
    for offset in range(3):
        core = base64_core(value.encode(errors="replace"), offset)
        found |= {core, core.translate(str.maketrans("+/", "-_"))}
    return found


def base64_core(raw: bytes, offset: int) -> str:
    """Return what is the same in base64 of any text that holds ``raw``.

    It depends on how many bytes stand before it, of which ``offset`` is the rest by three.
    """
    encoded = base64.b64encode(bytes(offset) + raw).decode("ascii")
    # A character holds six bits; the first and the last may share theirs with others.
    return encoded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]


def basic_credentials(token: str) -> str:
    """How git sends a token to GitHub: base64 of a fixed user name and the token."""
    return base64.b64encode(f"x-access-token:{token}".encode()).decode("ascii")
