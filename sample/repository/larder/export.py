"""CSV files for spreadsheets and backups."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from larder.pantry import Pantry
from larder.shopping import ShoppingList

PANTRY_HEADER = ["name", "amount", "unit", "location", "expires"]
SHOPPING_HEADER = ["name", "amount", "unit", "done"]


def export_pantry(pantry: Pantry, path: Path) -> int:
    """Write every item to a CSV file; return how many there were."""
    rows = [
        [
            item.name,
            f"{item.quantity.amount:g}",
            item.quantity.unit,
            item.location,
            item.expires.isoformat() if item.expires else "",
        ]
        for item in pantry.items
    ]
    return write_csv(path, PANTRY_HEADER, rows)


def export_shopping(shopping: ShoppingList, path: Path) -> int:
    """Write the shopping list to a CSV file; return how many entries there were."""
    rows = [
        [entry.name, f"{entry.quantity.amount:g}", entry.quantity.unit, "x" if entry.done else ""]
        for entry in shopping.entries
    ]
    return write_csv(path, SHOPPING_HEADER, rows)


def write_csv(path: Path, header: list[str], rows: Iterable[list[str]]) -> int:
    """Write a header and rows, and return how many rows that were."""
    count = 0
    # Plain text, no byte order mark: some spreadsheet programs show it in the first cell.
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count
