"""The shopping list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from larder.errors import LarderError
from larder.units import Quantity


@dataclass
class Entry:
    name: str
    quantity: Quantity
    done: bool = False


@dataclass
class ShoppingList:
    """What to buy; the same product stands on the list once."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, name: str, quantity: Quantity) -> Entry:
        """Put a product on the list, together with what is there of it already."""
        for entry in self.entries:
            if entry.name.casefold() == name.casefold() and not entry.done:
                total = entry.quantity.amount + quantity.amount
                entry.quantity = Quantity(total, entry.quantity.unit)
                return entry
        entry = Entry(name, quantity)
        self.entries.append(entry)
        return entry

    def tick(self, name: str) -> Entry:
        """Mark a product as bought."""
        for entry in self.entries:
            if entry.name.casefold() == name.casefold() and not entry.done:
                entry.done = True
                return entry
        raise LarderError(f"{name} is not on the shopping list")

    def clear_done(self) -> int:
        """Forget what was bought; return how many entries that were."""
        before = len(self.entries)
        self.entries = [entry for entry in self.entries if not entry.done]
        return before - len(self.entries)

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {
                "name": entry.name,
                "amount": entry.quantity.amount,
                "unit": entry.quantity.unit,
                "done": entry.done,
            }
            for entry in self.entries
        ]

    @classmethod
    def from_json(cls, data: list[dict[str, Any]]) -> ShoppingList:
        return cls(
            [
                Entry(each["name"], Quantity(float(each["amount"]), each["unit"]), each["done"])
                for each in data
            ]
        )
