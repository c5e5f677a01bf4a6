"""The stock: what there is, how much, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from larder.errors import LarderError
from larder.items import Item
from larder.units import Quantity, compatible, convert


@dataclass
class Pantry:
    """All items, kept in order of name and expiry."""

    items: list[Item] = field(default_factory=list)

    def add(self, new: Item) -> Item:
        """Put an item in, onto the same batch where there is one."""
        for item in self.items:
            if item.same_batch(new) and compatible(item.quantity.unit, new.quantity.unit):
                more = convert(new.quantity, item.quantity.unit)
                item.quantity = Quantity(item.quantity.amount + more.amount, more.unit)
                return item
        self.items.append(new)
        self.items.sort(key=lambda item: (item.name.casefold(), item.expires or date.max))
        return new

    def view(
        self,
        location: str | None = None,
        within: timedelta | None = None,
        today: date | None = None,
    ) -> list[Item]:
        """Return the items at a location and, with `within`, those that expire so soon."""
        shown = [item for item in self.items if location in (None, item.location)]
        if within is None:
            return shown
        last = (today or date.today()) + within
        return [item for item in shown if item.expires is not None and item.expires <= last]

    def remove_number(self, number: int) -> Item:
        """Take out the item with this number in the list; numbers start at 1."""
        if not 1 <= number <= len(self.items):
            raise LarderError(f"there is no item number {number}")
        return self.items.pop(number - 1)

    def find(self, name: str) -> list[Item]:
        """Return every batch of a product, the one that expires first in front."""
        return [item for item in self.items if item.same_product(name)]

    def total(self, name: str, unit: str) -> Quantity:
        """Return how much there is of a product, counting units of the same kind."""
        amounts = [
            convert(item.quantity, unit).amount
            for item in self.find(name)
            if compatible(item.quantity.unit, unit)
        ]
        return Quantity(sum(amounts), unit)

    def use(self, name: str, quantity: Quantity) -> None:
        """Take a quantity out, first from what expires first; all of it or nothing."""
        if self.total(name, quantity.unit).amount < quantity.amount:
            raise LarderError(f"there is not enough {name}")
        missing = quantity
        for item in self.find(name):
            if not compatible(item.quantity.unit, missing.unit):
                continue
            taken = min(convert(missing, item.quantity.unit).amount, item.quantity.amount)
            item.quantity = Quantity(item.quantity.amount - taken, item.quantity.unit)
            used = convert(Quantity(taken, item.quantity.unit), missing.unit)
            missing = Quantity(max(missing.amount - used.amount, 0), missing.unit)
        self.items = [item for item in self.items if item.quantity.amount > 0]
