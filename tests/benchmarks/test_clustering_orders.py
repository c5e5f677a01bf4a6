"""Orders of arrival, and what their results are compared by."""

import subprocess
import sys

import pytest

from benchmarks.clustering.orders import agreement, back, changes, random_orders, time_order
from benchmarks.clustering.rows import Row
from local.parts import ROOT


def row(name: str, created_at: int = 0) -> Row:
    return Row(name, "x", "standard", "email", "", name, name, created_at)


ROWS = [row(name) for name in "hbgdacfe"]


def arriving(rows: list[Row], order: list[int]) -> str:
    return "".join(rows[i].id for i in order)


def test_random_orders_do_not_depend_on_the_files_order() -> None:
    """The same items arrive in the same order, wherever their lines stand."""
    shuffled = sorted(ROWS, key=lambda one: one.id)
    assert [arriving(ROWS, order) for order in random_orders(ROWS, 4)] == [
        arriving(shuffled, order) for order in random_orders(shuffled, 4)
    ]


def test_random_orders_are_many_and_whole() -> None:
    """Each seed has its own, all items are in each, and more seeds do not change the first."""
    orders = random_orders(ROWS, 5)
    assert len({tuple(order) for order in orders}) == 5
    assert all(sorted(order) == list(range(8)) for order in orders)
    assert random_orders(ROWS, 2) == orders[:2]


def test_random_orders_are_the_same_in_every_process() -> None:
    """Neither hashing nor the time of day is in them: a known order stays known."""
    code = (
        "from tests.benchmarks.test_clustering_orders import ROWS, arriving;"
        "from benchmarks.clustering.orders import random_orders;"
        "print(arriving(ROWS, random_orders(ROWS, 1)[0]))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert printed == arriving(ROWS, random_orders(ROWS, 1)[0])


def test_the_oldest_arrives_first() -> None:
    """Those of one time go by id."""
    rows = [row("c", 5), row("b", 9), row("d", 1), row("a", 5)]
    assert arriving(rows, time_order(rows)) == "dacb"


def test_results_go_back_to_their_rows() -> None:
    """The second row arrived first, so it has the first result."""
    assert back([1, 2, 0], ["first", "second", "third"]) == ["third", "first", "second"]


def test_agreement_of_equal_and_of_unlike_partitions() -> None:
    """1 for the same groups under other names and for a single one; less for others."""
    one, renamed = ["x", "x", "y", "y"], ["q", "q", "r", "r"]
    assert agreement([one]) == 1.0
    assert agreement([one, renamed]) == 1.0
    # Worked out: no pair is together in both, against 2/3 expected of 2: (0 - 2/3) / (2 - 2/3).
    across = ["x", "y", "x", "y"]
    assert agreement([one, across]) == -0.5
    # Of three partitions each of the three pairs counts the same.
    assert agreement([one, renamed, across]) == pytest.approx((1 - 0.5 - 0.5) / 3, abs=1e-5)


def test_changes_count_items_that_had_another_cluster() -> None:
    """Who arrived in between has changed nothing; a cluster that only grew neither."""
    before = {"a": "one", "b": "one", "c": "two"}
    assert changes(before, {**before, "d": "one", "e": "three"}) == 0
    assert changes(before, {"a": "one", "b": "two", "c": "two", "d": "two"}) == 1
    assert changes({}, before) == 0
