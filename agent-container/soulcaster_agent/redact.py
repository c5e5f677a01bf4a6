"""Secrets are taken out of everything that leaves the task as text."""

import base64
import re

HIDDEN = "[redacted]"

# By prefix and not by length: GitHub's installation tokens are growing.
PATTERNS = re.compile(
    r"""
      \bgh[pousr]_[A-Za-z0-9_.\-]+
    | \bgithub_pat_[A-Za-z0-9_]+
    | \bsk-[A-Za-z0-9_\-]{16,}
    | \bAIza[A-Za-z0-9_\-]{16,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    | \bxox[abeoprs]-[A-Za-z0-9\-]+
    | \beyJ[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
SHORTEST = 8


class Redactor:
    """Replaces known values and whatever looks like a key.

    Values shorter than 8 characters are left alone: they protect nothing and would
    cut holes into ordinary words.
    """

    def __init__(self, known: list[str] | None = None) -> None:
        self._known: list[str] = []
        self.add(known or [])

    def add(self, values: list[str]) -> None:
        """Hide these values too, as they are and in HTTP basic authentication."""
        for value in values:
            if len(value) >= SHORTEST:
                self._known += [value, basic_credentials(value)]
        self._known.sort(key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text with each secret replaced, and fit for UTF-8."""
        # JSON may hold halves of surrogate pairs, which no encoder takes.
        text = text.encode(errors="replace").decode()
        for value in self._known:
            text = text.replace(value, HIDDEN)
        return PATTERNS.sub(HIDDEN, text)


def basic_credentials(token: str) -> str:
    """How git sends a token to GitHub: base64 of a fixed user name and the token."""
    return base64.b64encode(f"x-access-token:{token}".encode()).decode("ascii")
