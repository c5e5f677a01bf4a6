import unittest

from larder.errors import LarderError
from larder.items import Item
from larder.pantry import Pantry
from larder.recipes import Ingredient, Recipe, missing, scale, servings_possible
from larder.units import Quantity


def pancakes() -> Recipe:
    flour = Ingredient("flour", Quantity(250, "g"))
    return Recipe("Pancakes", 4, [flour, Ingredient("egg", Quantity(2, "pcs"))])


class Scale(unittest.TestCase):
    def test_to_twice_the_servings(self) -> None:
        scaled = scale(pancakes(), 8)
        self.assertEqual(scaled.servings, 8)
        amounts = [each.quantity.amount for each in scaled.ingredients]
        self.assertEqual(amounts, [500, 4])

    def test_refuses_no_servings(self) -> None:
        with self.assertRaises(LarderError):
            scale(pancakes(), 0)


class AgainstThePantry(unittest.TestCase):
    def test_missing_is_what_the_pantry_lacks(self) -> None:
        stock = Pantry([Item("flour", Quantity(1, "kg")), Item("egg", Quantity(1, "pcs"))])
        lacking = missing(pancakes(), stock)
        self.assertEqual(lacking, [Ingredient("egg", Quantity(1, "pcs"))])

    def test_servings_are_those_of_the_scarcest_ingredient(self) -> None:
        stock = Pantry([Item("flour", Quantity(900, "g")), Item("egg", Quantity(6, "pcs"))])
        self.assertEqual(servings_possible(pancakes(), stock), 12)

    def test_nothing_to_cook_with(self) -> None:
        self.assertEqual(servings_possible(pancakes(), Pantry()), 0)
