"""What the words of a text share with those of another: no model, no vocabulary, no state.

A text becomes a short signed vector of hashed words and 4-grams of bytes (feature hashing:
Weinberger and others, "Feature Hashing for Large Scale Multitask Learning", 2009), so that the
inner product of two such vectors estimates the cosine of the two bags.
"""

import re
from base64 import b64decode, b64encode
from collections import Counter
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from soulcaster.rules.text_kind import Kind

DIMENSIONS = 512
TEXT_CHARS = 1_600  # a title and as much of a body as is embedded

_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-f]{8,}\b|\d+")
# A frame of a stack trace: its line number changes with every release, its names don't.
_FRAME = re.compile(r"\(\S*:\d+\)|[\w$]\.[\w$<>]+\(")
_HUMP = re.compile(r"([a-z])([A-Z])")
_WORD = re.compile(r"[^\W_]{2,}|#")
# Each begins where a word does: a search from every letter would read a long word many times.
_IDENTIFIER = re.compile(
    r"(?<![\w$])[A-Za-z_$][\w$]*(?:(?:::|[.:/#-])[A-Za-z_$][\w$]*)+"
    r"|(?<![\w$])[\w$]*[a-z][A-Z][\w$]*"
    r"|[A-Z]{2,}[-_]?\w*"
)


def masked(text: str) -> str:
    """``text`` with what differs from event to event taken out.

    A word with a digit in it (a host, an id, a time, a size) becomes ``#``; in a stack frame only
    the number does, for the names around it are what counts.
    """
    return " ".join(map(_masked, text.split()))


def marks(title: str, text: str, kind: Kind) -> NDArray[np.float32]:
    """The marks of an item: [512], unit length, all zero without words.

    A person's title says once more what matters. A machine's is its first line, and two
    different faults often share it.
    """
    body = masked(text[:TEXT_CHARS])
    other = _grams(masked(title[:TEXT_CHARS])) if kind == "report" else _words(body)
    return _unit(_unit(_grams(body)) + _unit(other))


def packed(vector: NDArray[np.float32]) -> str:
    """Marks as text for a store: 684 characters, exact to one part in 254 of the largest."""
    peak = float(np.abs(vector).max()) or 1.0
    return b64encode(np.rint(vector / peak * 127).astype(np.int8).tobytes()).decode()


def unpacked(text: str) -> NDArray[np.float32]:
    """The marks in a ``packed`` text: [512], unit length."""
    return _unit(np.frombuffer(b64decode(text), np.int8).astype(np.float32))


def identifiers(text: str, limit: int = 40) -> tuple[str, ...]:
    """Names of code in ``text`` in order of appearance: dotted, camelCase, UPPER; distinct."""
    found = dict.fromkeys(_IDENTIFIER.findall(text[:TEXT_CHARS]))
    return tuple(name for name in found if len(name) > 3)[:limit]


def _masked(word: str) -> str:
    if not any(map(str.isdigit, word)):
        return word
    return _NUMBER.sub("0", word) if _FRAME.search(word) else "#"


def _words(plain: str) -> NDArray[np.float32]:
    words = Counter(_WORD.findall(_HUMP.sub(r"\1 \2", plain).lower()))
    hashes = np.fromiter((crc32(_bytes(w)) for w in words), np.uint32, len(words))
    return _hashed(hashes, np.fromiter(words.values(), np.float32, len(words)))


def _grams(plain: str) -> NDArray[np.float32]:
    data = np.frombuffer(_bytes(f" {plain.lower()} "), np.uint8).astype(np.uint32)
    grams = (data[:-3] << 24) | (data[1:-2] << 16) | (data[2:-1] << 8) | data[3:]
    distinct, counts = np.unique(grams, return_counts=True)
    # Knuth's multiplicative hash (The Art of Computer Programming, 6.4) spreads the bytes.
    return _hashed(distinct * np.uint32(2654435761), counts.astype(np.float32))


def _hashed(hashes: NDArray[np.uint32], counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """The bag with each term's weight, 1 + log of its count, in a place and with a sign."""
    places = (hashes >> 8) % DIMENSIONS
    signs = np.where(hashes >> 31, np.float32(1), np.float32(-1))
    return np.bincount(places, signs * (1 + np.log(counts)), DIMENSIONS).astype(np.float32)


def _bytes(text: str) -> bytes:
    # JSON can hold half of a pair of surrogates, which has no bytes.
    return text.encode("utf-8", "replace")


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    norm = float(np.linalg.norm(vector))
    return vector / np.float32(norm) if norm else vector
