"""The part of Upstash Vector's metadata filter language that is emulated.

``=  !=  <  <=  >  >=  IN ( )`` on top-level fields, joined by ``AND``, ``OR`` and
parentheses. Nested fields, ``GLOB``, ``CONTAINS``, ``HAS FIELD`` and ``NOT`` are refused.
"""

import operator
import re
from collections.abc import Callable
from typing import Any

type Predicate = Callable[[dict[str, Any]], bool]

TOKEN = re.compile(
    r"""\s*(?:
      (?P<symbol> <= | >= | != | [=<>(),] )
    | (?P<number> [+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)? ) (?![\w.])
    | (?P<text> '[^']*' | "[^"]*" )
    | (?P<word> [A-Za-z_]\w* ) (?![.\[\w])
    )\s*""",
    re.VERBOSE | re.ASCII,
)
ORDERINGS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class FilterError(ValueError):
    """The filter is malformed, or uses what is not emulated."""


def compiled(text: str) -> Predicate:
    """A test for one vector's metadata; a vector without the field never passes it."""
    return _Parser(text).whole()


class _Parser:
    """Recursive descent over the tokens; AND binds tighter than OR."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        at, end = 0, len(text)
        while at < end:
            if (match := TOKEN.match(text, at)) is None:
                raise self._error(f"cannot read {text[at : at + 20]!r}")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self._tokens.append(("end", ""))

    def whole(self) -> Predicate:
        predicate = self._either()
        if self._tokens[0][0] != "end":
            raise self._error(f"did not expect {self._tokens[0][1]!r}")
        return predicate

    def _either(self) -> Predicate:
        tests = [self._both()]
        while self._took("OR"):
            tests.append(self._both())
        return lambda metadata: any(test(metadata) for test in tests)

    def _both(self) -> Predicate:
        tests = [self._one()]
        while self._took("AND"):
            tests.append(self._one())
        return lambda metadata: all(test(metadata) for test in tests)

    def _one(self) -> Predicate:
        if self._took("("):
            inner = self._either()
            self._expect(")")
            return inner
        kind, field = self._tokens.pop(0)
        if kind != "word":
            raise self._error(f"expected a field, found {field!r}")
        if self._took("IN"):
            self._expect("(")
            values = [self._literal()]
            while self._took(","):
                values.append(self._literal())
            self._expect(")")
            return lambda metadata: field in metadata and metadata[field] in values
        _, sign = self._tokens.pop(0)
        if sign not in {"=", "!=", *ORDERINGS}:
            raise self._error(f"operator {sign!r} is not emulated")
        value = self._literal()
        if sign == "=":
            return lambda metadata: field in metadata and bool(metadata[field] == value)
        if sign == "!=":
            return lambda metadata: field in metadata and bool(metadata[field] != value)
        if not isinstance(value, int | float):
            raise self._error(f"{sign} compares numbers")
        compare = ORDERINGS[sign]
        return lambda metadata: (
            isinstance(metadata.get(field), int | float) and bool(compare(metadata[field], value))
        )

    def _literal(self) -> str | float | bool:
        kind, token = self._tokens.pop(0)
        if kind == "text":
            return token[1:-1]
        if kind == "number":
            return float(token) if re.search("[.eE]", token) else int(token)
        if token.lower() in {"true", "false"}:
            return token.lower() == "true"
        raise self._error(f"expected a value, found {token!r}")

    def _took(self, word: str) -> bool:
        kind, token = self._tokens[0]
        if kind in {"word", "symbol"} and token.upper() == word:
            del self._tokens[0]
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise self._error(f"expected {word!r}, found {self._tokens[0][1]!r}")

    def _error(self, why: str) -> FilterError:
        return FilterError(f"Invalid filter {self._text!r}: {why}")
