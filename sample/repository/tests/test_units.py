import unittest

from larder.errors import LarderError
from larder.units import Quantity, convert, parse_quantity


class ParseQuantity(unittest.TestCase):
    def test_reads_amount_and_unit(self) -> None:
        self.assertEqual(parse_quantity("400 g"), Quantity(400, "g"))
        self.assertEqual(parse_quantity("1.5kg"), Quantity(1.5, "kg"))

    def test_pieces_are_the_default(self) -> None:
        self.assertEqual(parse_quantity("3"), Quantity(3, "pcs"))

    def test_refuses_what_it_cannot_read(self) -> None:
        for text in ("", "some", "-2 g", "4 parsecs"):
            with self.subTest(text), self.assertRaises(LarderError):
                parse_quantity(text)


class Convert(unittest.TestCase):
    def test_within_a_kind(self) -> None:
        self.assertEqual(convert(Quantity(2, "kg"), "g"), Quantity(2000, "g"))
        self.assertEqual(convert(Quantity(3000, "ml"), "l"), Quantity(3, "l"))
        self.assertEqual(convert(Quantity(2, "tbsp"), "tsp"), Quantity(6, "tsp"))

    def test_refuses_another_kind(self) -> None:
        with self.assertRaises(LarderError):
            convert(Quantity(1, "kg"), "l")
