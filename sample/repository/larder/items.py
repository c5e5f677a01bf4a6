"""One thing in the pantry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from larder.errors import LarderError
from larder.units import Quantity


@dataclass
class Item:
    """A product at one place with one expiry date (None: it keeps)."""

    name: str
    quantity: Quantity
    location: str = "cupboard"
    expires: date | None = None

    def same_product(self, name: str) -> bool:
        return self.name.casefold() == name.casefold()

    def same_batch(self, other: Item) -> bool:
        """Whether the two can stand on one shelf as one item."""
        return (
            self.same_product(other.name)
            and self.location == other.location
            and self.expires == other.expires
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "amount": self.quantity.amount,
            "unit": self.quantity.unit,
            "location": self.location,
            "expires": self.expires.isoformat() if self.expires else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Item:
        return cls(
            name=data["name"],
            quantity=Quantity(float(data["amount"]), data["unit"]),
            location=data["location"],
            expires=parse_date(data["expires"]) if data["expires"] else None,
        )


def parse_date(text: str) -> date:
    """Read a date written as 2026-11-20."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise LarderError(f"cannot read the date {text!r}; write it as 2026-11-20") from None
