"""A text without what differs each time the same thing is said: equal fingerprints, one matter."""

import re
import unicodedata
from hashlib import blake2b
from itertools import groupby

from soulcaster.rules.stack_trace import frames, raised
from soulcaster.rules.text_kind import Kind

LEAST_LETTERS = 3
# Normalising takes the square of a run of combining marks, which somebody may send 60,000 of.
WORD_CHARS = 500

# Where the JVM calls by reflection: which of its ways it takes changes as a process grows older.
_REFLECTION = re.compile(r"\s*at (?:java\.base/)?(?:sun|jdk\.internal|java\.lang)\.reflect\.")
_JAR = re.compile(r"~?\[[^\[\]]*+\]\s*$")
_HOST = re.compile(r"\w++://[^/\s)]++")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]++")
_ID = re.compile(r"(?<![^\W_])(?=[a-f]*+[0-9])[0-9a-f]{6,}+(?![^\W_])")
# A number that belongs to a name, as in md5 or utf8, stays; those of generated names don't.
_NUMBER = re.compile(r"(?<![A-Za-z0-9])[0-9]++|(?<=Accessor)[0-9]++|(?<=Proxy)[0-9]++")
_HEX = re.compile(r"[0-9a-f]{6,}+")
# Ruby puts the message behind the first frame.
_MESSAGE = re.compile(r"(?<=:in [`'\"])([^`'\"]++['\"]):.*")
_ARGUMENTS = re.compile(r"\([^()]*+\)")
# A frame as ``rules.sources.sentry`` writes it: indented, module and function.
_MODULE = re.compile(r"[ \t]++[^\s:]++:\S")


def fingerprint(kind: Kind, title: str, text: str) -> str:
    """32 hex digits that texts of one matter have in common; '' when there is nothing to go by.

    ``text`` may begin with the title or not. Errors with stack frames are the same when types of
    exception and frames are, whatever their line numbers, addresses and messages. Other errors are
    the same when their words are, numbers and words with digits aside; everything else when its
    words are. Less than 3 letters are nothing to go by.
    """
    error = kind == "error"
    matter = (_trace(title, text) if error else "") or _words(title, text, masked=error)
    if sum(map(str.isalpha, matter)) < LEAST_LETTERS:
        return ""
    return blake2b(f"{kind} {matter}".encode("utf-8", "replace"), digest_size=16).hexdigest()


def _trace(title: str, text: str) -> str:
    """Types of exception and frames of a stack trace; '' without frames."""
    types = [_masked(name) for name, _ in groupby(raised(text))]
    found = frames(text)
    if not found and types:
        found = [line for line in text.split("\n") if _MODULE.match(line)]
    called = [_frame(line) for line in found if not _REFLECTION.match(line)]
    if not called:
        return ""
    # A recursion's depth says nothing.
    calls = [name for name, _ in groupby(called)]
    return "\n".join([*(types or [_words(title, "", masked=True)]), *calls])


def _frame(line: str) -> str:
    line = _MESSAGE.sub(r"\1", line.strip())
    line = _ARGUMENTS.sub("()", line) if line.startswith("#") else _JAR.sub("", line)
    return _masked(_HOST.sub("", line)).rstrip()


def _masked(name: str) -> str:
    return _NUMBER.sub("0", _ID.sub("0", _ADDRESS.sub("0", name)))


def _words(title: str, text: str, *, masked: bool) -> str:
    """The words of both, a title once that the text begins with."""
    head, body = _folded(title), _folded(text)
    words = (body if body.startswith(head) else f"{head} {body}").split()
    if masked:
        words = [word for word, _ in groupby(map(_unnumbered, words))]
    return " ".join(words)


def _unnumbered(word: str) -> str:
    """``#`` for a word with digits, or its letters and ``#`` for a name with a number: eth0."""
    if not any(c.isdigit() for c in word):
        return word
    name = word.rstrip("0123456789")
    return f"{name}#" if name.isalpha() and len(name) > 1 and not _HEX.fullmatch(word) else "#"


def _folded(text: str) -> str:
    """``text`` without case, compatibility forms, punctuation, controls and runs of spaces."""
    folded = " ".join(
        _nfkc(_nfkc(word[start : start + WORD_CHARS]).casefold())
        for word in text.split()
        for start in range(0, len(word), WORD_CHARS)
    )
    kept = (" " if unicodedata.category(c)[0] in "PZC" else c for c in folded)
    return " ".join("".join(kept).split())


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
