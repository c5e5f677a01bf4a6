import unittest
from datetime import date, timedelta

from larder.errors import LarderError
from larder.items import Item
from larder.pantry import Pantry
from larder.units import Quantity


def pantry() -> Pantry:
    stock = Pantry()
    stock.add(Item("rice", Quantity(2, "kg")))
    stock.add(Item("milk", Quantity(1, "l"), "fridge", date(2026, 3, 20)))
    stock.add(Item("milk", Quantity(2, "l"), "fridge", date(2026, 3, 15)))
    return stock


class Add(unittest.TestCase):
    def test_keeps_the_order_of_name_and_expiry(self) -> None:
        amounts = [(item.name, item.quantity.amount) for item in pantry().items]
        self.assertEqual(amounts, [("milk", 2), ("milk", 1), ("rice", 2)])

    def test_same_batch_becomes_one_item(self) -> None:
        stock = pantry()
        stock.add(Item("Rice", Quantity(3000, "g")))
        self.assertEqual(stock.total("rice", "kg"), Quantity(5, "kg"))
        self.assertEqual(len(stock.items), 3)

    def test_another_kind_of_unit_is_another_item(self) -> None:
        stock = pantry()
        stock.add(Item("rice", Quantity(1, "pcs")))
        self.assertEqual(len(stock.find("rice")), 2)


class View(unittest.TestCase):
    def test_by_location(self) -> None:
        self.assertEqual([item.name for item in pantry().view("fridge")], ["milk", "milk"])

    def test_by_expiry(self) -> None:
        shown = pantry().view(within=timedelta(days=2), today=date(2026, 3, 14))
        self.assertEqual([item.expires for item in shown], [date(2026, 3, 15)])


class Remove(unittest.TestCase):
    def test_by_number(self) -> None:
        stock = pantry()
        self.assertEqual(stock.remove_number(3).name, "rice")
        self.assertEqual(stock.find("rice"), [])

    def test_refuses_a_number_that_is_not_there(self) -> None:
        for number in (-1, 0, 4):
            with self.subTest(number=number), self.assertRaises(LarderError):
                pantry().remove_number(number)


class Use(unittest.TestCase):
    def test_takes_first_what_expires_first(self) -> None:
        stock = pantry()
        stock.use("milk", Quantity(2, "l"))
        self.assertEqual([item.expires for item in stock.find("milk")], [date(2026, 3, 20)])

    def test_all_or_nothing(self) -> None:
        stock = pantry()
        with self.assertRaises(LarderError):
            stock.use("milk", Quantity(4, "l"))
        self.assertEqual(stock.total("milk", "l"), Quantity(3, "l"))
