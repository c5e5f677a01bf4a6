"""Quantities and the units they are measured in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from larder.errors import LarderError

# Each unit: its kind, and how many of the kind's smallest unit it holds.
UNITS = {
    "mg": ("mass", 1.0),
    "g": ("mass", 1_000.0),
    "kg": ("mass", 1_000_000.0),
    "ml": ("volume", 1.0),
    "cl": ("volume", 10.0),
    "l": ("volume", 1_000.0),
    "tsp": ("volume", 5.0),
    "tbsp": ("volume", 15.0),
    "cup": ("volume", 240.0),
    "pcs": ("pieces", 1.0),
}

_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")


@dataclass(frozen=True)
class Quantity:
    """An amount of a unit in UNITS; never negative."""

    amount: float
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise LarderError(f"unknown unit {self.unit!r}; known: {', '.join(UNITS)}")
        if self.amount < 0:
            raise LarderError(f"an amount cannot be negative: {self.amount:g}")

    def __str__(self) -> str:
        return f"{self.amount:g} {self.unit}"

    def times(self, factor: float) -> Quantity:
        return Quantity(self.amount * factor, self.unit)


def parse_quantity(text: str) -> Quantity:
    """Read "400 g", "1.5kg" or "3" (pieces)."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise LarderError(f'cannot read the quantity {text!r}; write for example "400 g"')
    return Quantity(float(match[1]), match[2].lower() or "pcs")


def compatible(one: str, other: str) -> bool:
    """Whether the two units are of the same kind."""
    return UNITS[one][0] == UNITS[other][0]


def convert(quantity: Quantity, unit: str) -> Quantity:
    """Return the same quantity in another unit of its kind.

    Dividing floats leaves noise such as 0.30000000000000004, so the result is rounded.
    """
    if unit not in UNITS:
        raise LarderError(f"unknown unit {unit!r}; known: {', '.join(UNITS)}")
    if not compatible(quantity.unit, unit):
        raise LarderError(f"cannot convert {quantity.unit} to {unit}")
    amount = quantity.amount * UNITS[quantity.unit][1] / UNITS[unit][1]
    return Quantity(round(amount), unit)
