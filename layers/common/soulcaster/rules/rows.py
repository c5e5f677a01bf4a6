"""Rows of a file with feedback: CSV with a header, or JSON Lines. Nothing in it is trusted."""

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Literal

from soulcaster.rules.records import MAX_CHARS, Quotes, Record, parts, records

Format = Literal["csv", "jsonl"]

DELIMITERS: Final = (",", ";", "\t")
# What other systems call our fields.
ALIASES: Final = {
    "text": ("body", "description", "message", "comment", "content", "feedback"),
    "title": ("subject", "summary"),
    "author": ("user", "reporter"),
    "url": ("link",),
    "source": ("channel",),
    "created_at": ("created", "date", "timestamp"),
    "updated_at": ("updated", "modified"),
}
_FIELD_OF = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
_SECONDS = re.compile(r"[0-9]{9,10}(?:\.[0-9]{1,6})?")
_WHOLE = re.compile(r"[0-9]{1,10}")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# How files begin that are no text: people have a spreadsheet, or pack what is large.
_NOT_TEXT = {
    b"PK\x03\x04": "a zip archive or a spreadsheet; save it as CSV",
    b"\x1f\x8b": "compressed; unpack it first",
    b"\xff\xfe": "UTF-16; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
    b"%PDF": "a PDF; save it as CSV",
}
_HEADER_CHARS = 20_000


class Unusable(ValueError):  # noqa: N818 - it is about the file, not about us
    """Nothing can be read from the file; the message tells people why."""


@dataclass(frozen=True, slots=True)
class Row:
    """``line`` is where it starts in the file, from 1, and ``text`` what is there.

    ``refused`` says why it can't be read; where it is '', ``data`` is what it says, in the words
    of ``soulcaster.rules.reported`` as far as they were recognised.
    """

    line: int
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    refused: str = ""


def rows(pieces: Iterable[bytes], form: Format, skip: int = 0) -> Iterator[Row]:
    """The rows of a file that comes in ``pieces``, after the first ``skip``.

    Blank lines are no rows. Raises ``Unusable``, before the first row; a file without any is one.
    """
    found, read = _csv(_text(pieces)) if form == "csv" else _jsonl(_text(pieces))
    count = 0
    for record in found:
        count += 1
        if count > skip:
            yield _row(record, read)
    if not count:
        raise Unusable("the file has no rows")


# From the text of a record to what it says; raises ValueError with why it can't.
type _Read = Callable[[str], dict[str, Any]]


def _row(record: Record, read: _Read) -> Row:
    if fault := _fault(record):
        return Row(record.line, record.text, refused=fault)
    try:
        return Row(record.line, record.text, read(record.text))
    except (ValueError, csv.Error) as error:
        return Row(record.line, record.text, refused=str(error))


def _fault(record: Record) -> str:
    """Why a record can't be looked into, '' if it can."""
    if record.unclosed:
        return "a quote is opened in it and never closed"
    if record.cut:
        return f"it has more than {MAX_CHARS} characters"
    if "\x00" in record.text:
        return "it has a NUL character"
    return "" if _is_text(record.text) else "it is not UTF-8"


def _text(pieces: Iterable[bytes]) -> Iterator[str]:
    """The file decoded; what is no UTF-8 in it can be told by ``_is_text``."""
    utf8 = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
    start = b""
    for piece in pieces:
        if len(start) < 4:
            start = (start + piece)[:4]
            for mark, what in _NOT_TEXT.items():
                if start.startswith(mark):
                    raise Unusable(f"the file is {what}")
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# CSV


def _csv(texts: Iterable[str]) -> tuple[Iterator[Record], _Read]:
    """What follows the header, and how a record of it is read; raises ``Unusable``."""
    lines = parts(texts)
    number, line = _first(lines)
    delimiter = _delimiter(line)
    every = records(chain([(line, True)], lines), Quotes(delimiter), number)
    names = _header(next(every), delimiter)

    def read(text: str) -> dict[str, Any]:
        cells = next(csv.reader([text], delimiter=delimiter))
        if len(cells) != len(names):
            raise ValueError(f"it has {len(cells)} cells and the header {len(names)}")
        given = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
        return {name: _typed(name, cell) for name, cell in given.items() if cell}

    return every, read


def _first(lines: Iterator[tuple[str, bool]]) -> tuple[int, str]:
    """The first line that is not blank, with its number; raises ``Unusable``."""
    number, line = 1, ""
    for part, ended in lines:
        line += part
        if len(line) > _HEADER_CHARS:
            raise Unusable("the first line is too long for a header")
        if ended and line.strip():
            return number, line
        if ended:
            number, line = number + 1, ""
    raise Unusable("the file is empty")


def _delimiter(line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    return max(DELIMITERS, key=bare.count)


def _header(record: Record, delimiter: str) -> list[str]:
    """What each column is called; raises ``Unusable`` when none of them says anything."""
    if not _is_text(record.text):
        raise Unusable("the file is not UTF-8; save it as UTF-8")
    if record.cut or record.unclosed:
        raise Unusable("the first line is no header: a quote is opened in it and never closed")
    columns = next(csv.reader([record.text], delimiter=delimiter))
    names = _named(columns)
    if not {"title", "text"} & set(names):
        found = ", ".join(column.strip() for column in columns)[:200]
        raise Unusable(f"the header has no column for a title or a text; it has: {found}")
    return names


def _named(columns: Sequence[str]) -> list[str]:
    """A name for each column, no two alike: our field's, where it is one of ours.

    A column that is called as we call it goes before one that others call so, and the first
    before a later one.
    """
    plain = [re.sub(r"[\s-]+", "_", column.strip().casefold()) for column in columns]
    names, used = list[str](), set[str]()
    for number, name in enumerate(plain):
        wanted = name
        if name in _FIELD_OF and _FIELD_OF[name] not in plain:
            wanted = _FIELD_OF[name]
        if wanted in used or not wanted:
            wanted = f"{name} {number + 1}"
        used.add(wanted)
        names.append(wanted)
    return names


def _typed(name: str, cell: str) -> Any:
    """A cell as JSON would have it; one that can't be so is left for the field's own check."""
    if name in ("created_at", "updated_at") and _SECONDS.fullmatch(cell):
        return float(cell)
    if name == "occurrences" and _WHOLE.fullmatch(cell):
        return int(cell)
    if name == "severity":
        return cell.lower()
    if name == "resolved":
        return _TRUTH.get(cell.lower(), cell)
    return cell


# JSON Lines


def _jsonl(texts: Iterable[str]) -> tuple[Iterator[Record], _Read]:
    return records(parts(texts)), _object


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - it is for people to read
    names = _named(list(found))
    given = dict(zip(names, found.values(), strict=True))
    return {name: value for name, value in given.items() if value is not None}
