"""Cuts a text into records, one for each line or, in CSV, for each row; whatever their length."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

MAX_CHARS = 131_072  # of a record; Python's csv reads no longer field either


@dataclass(frozen=True, slots=True)
class Record:
    """``line`` is where it starts, from 1.

    ``text`` has no line end after it; of one that is ``cut`` only the start is there. ``unclosed``:
    the file ends within a quoted field.
    """

    line: int
    text: str
    cut: bool = False
    unclosed: bool = False


def parts(texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Lines in parts: (text without line end, whether the line ends there).

    A part is not much longer than a record may be, or than a piece of ``texts``.
    """
    rest, within = "", False
    for text in texts:
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            yield line, True
        if whole:
            within = False
        if len(rest) > MAX_CHARS:
            yield rest, False
            rest, within = "", True
    if rest or within:
        yield rest, True


class _State(Enum):
    START = auto()  # of a field
    PLAIN = auto()
    QUOTED = auto()
    QUOTE = auto()  # within quotes, where it ends them unless another follows


class Quotes:
    """Follows the quotes of CSV, as Python's csv reads them."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._state = _State.START

    def read(self, part: str) -> None:
        """Go on to the end of ``part``."""
        place = 0
        if self._state in (_State.START, _State.PLAIN) and '"' not in part:
            place = max(0, len(part) - 1)  # only where it ends matters
            self._state = _State.PLAIN if place else self._state
        while place < len(part):
            place = self._step(part, place)

    def _step(self, part: str, place: int) -> int:
        char = part[place]
        match self._state:
            case _State.START if char == '"':
                self._state = _State.QUOTED
            case _State.QUOTE if char == '"':
                self._state = _State.QUOTED
            case _State.QUOTED:
                place = part.find('"', place)
                if place < 0:
                    return len(part)
                self._state = _State.QUOTE
            case _State.PLAIN:
                place = part.find(self._delimiter, place)
                if place < 0:
                    return len(part)
                self._state = _State.START
            case _:
                self._state = _State.START if char == self._delimiter else _State.PLAIN
        return place + 1

    def over(self) -> bool:
        """Whether a line end here ends the record; the next one begins then."""
        if self._state is _State.QUOTED:
            return False
        self._state = _State.START
        return True


def records(
    lines: Iterable[tuple[str, bool]], quotes: Quotes | None = None, first: int = 1
) -> Iterator[Record]:
    """The records that are not blank, of ``parts``; the first line has the number ``first``.

    Without ``quotes`` each line is one.
    """
    held, cut, number, start = "", False, first, first
    for part, ended in lines:
        if quotes:
            quotes.read(part)
        if not cut:
            held += part
            cut = len(held) > MAX_CHARS
            held = held[:MAX_CHARS]
        if not ended:
            continue
        number += 1
        if quotes and not quotes.over():
            held += "" if cut else "\n"
            continue
        if held.strip():
            yield Record(start, held, cut)
        held, cut, start = "", False, number
    if held.strip():
        yield Record(start, held, cut, unclosed=True)
