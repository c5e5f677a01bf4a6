import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from larder.cli import main


class CommandLine(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        named = mock.patch.dict(os.environ, {"LARDER_FILE": str(self.folder / "larder.json")})
        named.start()
        self.addCleanup(named.stop)

    def larder(self, *args: str, status: int = 0) -> str:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self.assertEqual(main(args), status)
        return out.getvalue() + err.getvalue()

    def test_what_was_added_is_listed(self) -> None:
        self.larder("add", "jalapeño", "3")
        self.larder("add", "rice", "2 kg")
        self.assertIn("jalapeño  3 pcs", self.larder("list"))
        self.assertNotIn("rice", self.larder("list", "--location", "fridge"))

    def test_remove(self) -> None:
        self.larder("add", "rice", "2 kg")
        self.assertEqual(self.larder("remove", "1"), "removed rice\n")
        self.assertEqual(self.larder("list"), "(nothing)\n")

    def test_plan_puts_on_the_list_what_is_missing(self) -> None:
        self.larder("recipe", "add", "Omelette", "2", "egg=4", "butter=20 g")
        self.larder("add", "egg", "3")
        self.larder("shop", "plan", "omelette")
        listed = self.larder("shop", "list")
        self.assertIn("egg     1 pcs", listed)
        self.assertIn("butter  20 g", listed)

    def test_export(self) -> None:
        self.larder("add", "rice", "2 kg")
        target = self.folder / "pantry.csv"
        self.assertEqual(self.larder("export", str(target)), f"1 rows written to {target}\n")

    def test_a_mistake_is_one_line(self) -> None:
        self.assertEqual(
            self.larder("add", "rice", "plenty", status=1),
            "larder: cannot read the quantity 'plenty'; write for example \"400 g\"\n",
        )
