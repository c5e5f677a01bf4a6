import unittest

from larder.errors import LarderError
from larder.shopping import ShoppingList
from larder.units import Quantity


class Shopping(unittest.TestCase):
    def test_the_same_product_stands_there_once(self) -> None:
        shopping = ShoppingList()
        shopping.add("butter", Quantity(250, "g"))
        shopping.add("Butter", Quantity(100, "g"))
        self.assertEqual([entry.quantity for entry in shopping.entries], [Quantity(350, "g")])

    def test_what_was_bought_is_not_added_to(self) -> None:
        shopping = ShoppingList()
        shopping.add("butter", Quantity(250, "g"))
        shopping.tick("butter")
        shopping.add("butter", Quantity(100, "g"))
        self.assertEqual(len(shopping.entries), 2)
        self.assertEqual(shopping.clear_done(), 1)
        self.assertEqual([entry.quantity for entry in shopping.entries], [Quantity(100, "g")])

    def test_ticking_what_is_not_there(self) -> None:
        with self.assertRaises(LarderError):
            ShoppingList().tick("butter")
