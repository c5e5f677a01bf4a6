import unittest
from datetime import date, timedelta

from larder.expiry import describe, status

TODAY = date(2026, 3, 14)


class Status(unittest.TestCase):
    def test_by_distance(self) -> None:
        cases = {-5: "expired", -1: "expired", 1: "soon", 3: "soon", 4: "ok", 90: "ok"}
        for days, expected in cases.items():
            with self.subTest(days=days):
                self.assertEqual(status(TODAY + timedelta(days=days), TODAY), expected)

    def test_what_has_no_date_keeps(self) -> None:
        self.assertEqual(status(None, TODAY), "ok")


class Describe(unittest.TestCase):
    def test_in_words(self) -> None:
        self.assertEqual(describe(None, TODAY), "")
        self.assertEqual(describe(date(2026, 3, 13), TODAY), "EXPIRED 2026-03-13")
        self.assertEqual(describe(date(2026, 3, 15), TODAY), "soon, 1 day left")
        self.assertEqual(describe(date(2026, 3, 17), TODAY), "soon, 3 days left")
        self.assertEqual(describe(date(2026, 4, 1), TODAY), "2026-04-01")
