"""A file of feedback: JSON lines, gzipped or not.

A line is an object with ``id``, and ``title`` or ``text``; it may have ``source``, ``author``,
``url`` and ``created_at`` (ISO 8601, or another way of writing a date).
"""

import gzip
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dateutil import parser

type Row = dict[str, Any]


def read(file: Path) -> list[Row]:
    """The file's rows; raises ``OSError``, and ``ValueError`` naming the line at fault."""
    rows: list[Row] = []
    seen: dict[str, int] = {}
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{file}: line {number}"
            row = _row(line, where)
            first = seen.setdefault(str(row["id"]), number)
            if first != number:
                raise ValueError(f"{where} has the id of line {first}, {row['id']!r}")
            rows.append(row)
    if not rows:
        raise ValueError(f"{file}: holds no feedback")
    return rows


def _row(line: bytes, where: str) -> Row:
    try:
        row = json.loads(line)
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is not UTF-8: {error.reason}") from error
    except ValueError as error:
        raise ValueError(f"{where} is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError(f"{where} is not a JSON object")  # noqa: TRY004 - of the content
    if row.get("id") in (None, ""):
        raise ValueError(f"{where} has no id")
    return {**row, "created_at": _time(row.get("created_at"), where)}


def _time(value: Any, where: str) -> Any:
    """A time as the webhook takes it: exports write dates in many ways."""
    if not isinstance(value, str) or not value:
        return value or None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        try:
            return parser.parse(value).isoformat()
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{where}: created_at is no time: {value[:40]!r}") from error
    return value


def moved(rows: Sequence[Row], newest: datetime) -> list[Row]:
    """``rows`` as they would be had the newest been written at ``newest``.

    A poll looks back 90 days only, so a sample that stays where it is would one day be gone.
    """
    times = [datetime.fromisoformat(row["created_at"]) for row in rows]
    by = timedelta(seconds=round((newest - max(times)).total_seconds()))
    return [
        {**row, "created_at": (time + by).isoformat().replace("+00:00", "Z")}
        for row, time in zip(rows, times, strict=True)
    ]
