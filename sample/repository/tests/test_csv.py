import tempfile
import unittest
from datetime import date
from pathlib import Path

from larder.errors import LarderError
from larder.export import export_pantry, export_shopping
from larder.importer import import_pantry
from larder.items import Item
from larder.pantry import Pantry
from larder.shopping import ShoppingList
from larder.units import Quantity


class Csv(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "larder.csv"

    def test_what_is_exported_can_be_imported(self) -> None:
        stock = Pantry()
        stock.add(Item("rice, brown", Quantity(1.5, "kg")))
        stock.add(Item("milk", Quantity(1, "l"), "fridge", date(2026, 3, 20)))
        self.assertEqual(export_pantry(stock, self.path), 2)
        copy = Pantry()
        self.assertEqual(import_pantry(copy, self.path), 2)
        self.assertEqual(copy, stock)

    def test_shopping_list(self) -> None:
        shopping = ShoppingList()
        shopping.add("butter", Quantity(250, "g"))
        export_shopping(shopping, self.path)
        lines = self.path.read_text(encoding="utf-8").splitlines()
        self.assertEqual(lines, ["name,amount,unit,done", "butter,250,g,"])

    def test_a_mistake_is_reported_with_its_line_and_changes_nothing(self) -> None:
        self.path.write_text("name,amount,unit\nrice,1,kg\nmilk,much,l\n", encoding="utf-8")
        stock = Pantry()
        with self.assertRaisesRegex(LarderError, "line 3"):
            import_pantry(stock, self.path)
        self.assertEqual(stock.items, [])

    def test_a_missing_column(self) -> None:
        self.path.write_text("name,amount\nrice,1\n", encoding="utf-8")
        with self.assertRaisesRegex(LarderError, "unit"):
            import_pantry(Pantry(), self.path)
