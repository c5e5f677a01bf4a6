"""Reading back what was exported, or what a spreadsheet wrote."""

from __future__ import annotations

import csv
from pathlib import Path

from larder.errors import LarderError
from larder.items import Item, parse_date
from larder.pantry import Pantry
from larder.units import Quantity

REQUIRED = ("name", "amount", "unit")


def import_pantry(pantry: Pantry, path: Path) -> int:
    """Add every row of a CSV file to the pantry, all or nothing; return how many."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            lacking = [name for name in REQUIRED if name not in (reader.fieldnames or [])]
            if lacking:
                raise LarderError(f"{path} has no column {lacking[0]!r}")
            items = [read_row(row, reader.line_num) for row in reader]
    except FileNotFoundError:
        raise LarderError(f"there is no file {path}") from None
    for item in items:
        pantry.add(item)
    return len(items)


def read_row(row: dict[str, str | None], line: int) -> Item:
    """Turn one row into an item; a mistake is reported with its line."""
    try:
        return Item(
            name=(row["name"] or "").strip(),
            quantity=Quantity(float(row["amount"] or ""), (row["unit"] or "pcs").strip()),
            location=(row.get("location") or "cupboard").strip(),
            expires=parse_date(row["expires"] or "") if row.get("expires") else None,
        )
    except ValueError:
        raise LarderError(f"line {line}: {row['amount']!r} is not a number") from None
    except LarderError as error:
        raise LarderError(f"line {line}: {error}") from None
