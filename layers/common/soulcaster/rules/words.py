"""The words that a text is found by: the same ones for what is stored and for what is asked."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Literal

from soulcaster.rules.text import plain

SHORTEST, LONGEST = 2, 40
TOKENS_PER_ITEM = 64
TOKENS_PER_QUERY = 24
# Stands between the words of the title and the rest; no token can look like it.
DIVIDER = "|"

# Thai and Lao, Myanmar, Khmer, kana, and Han: scripts that put no space between words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
# getHTTPResponse: between "t" and "H", and before the last capital of a row of them.
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def tokens(text: str, limit: int) -> list[str]:
    """The first ``limit`` different tokens of ``text``, each of 2 to 40 characters.

    Tokens have letters, marks, digits, underscores and dots, compatibility forms (NFKC) and no
    case. An identifier is one token, cut at 40 characters, and so is each of its parts. Of
    scripts without spaces every two neighbouring characters are a token.
    """
    found: dict[str, None] = {}
    for token in _all(unicodedata.normalize("NFKC", text)):
        if len(token) >= SHORTEST:
            found.setdefault(token)
        if len(found) == limit:
            break
    return list(found)


def indexed(title: str, text: str = "") -> str:
    """What the index takes of an item: tokens of the title, a divider, further ones of ``text``.

    Separated by spaces; at most 64 tokens.
    """
    first = tokens(plain(title), TOKENS_PER_ITEM)
    rest = [token for token in tokens(text, TOKENS_PER_ITEM) if token not in first]
    return " ".join([*first, DIVIDER, *rest[: TOKENS_PER_ITEM - len(first)]])


def _all(text: str) -> Iterator[str]:
    for kind, characters in groupby(text, _kind):
        run = "".join(characters)
        if kind == "spaced":
            yield from _identifier(run.strip("._"))
        elif kind == "unspaced":
            yield from (_folded(run[i : i + 2]) for i in range(len(run) - 1))


def _identifier(run: str) -> Iterator[str]:
    """A run of word characters and dots as a whole, then its parts where it has several."""
    yield _folded(run)
    yield from map(_folded, _parts(re.split(r"[._]+", run)))


def _parts(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield name
        yield from _CAMEL.split(name)


def _folded(token: str) -> str:
    return unicodedata.normalize("NFKC", token.casefold())[:LONGEST]


@lru_cache(4096)
def _kind(character: str) -> Literal["spaced", "unspaced", "between"]:
    # Marks belong to the letter before them: the vowels of many scripts are such.
    if character not in "._" and unicodedata.category(character)[0] not in "LMN":
        return "between"
    return "unspaced" if _UNSPACED.match(character) else "spaced"
