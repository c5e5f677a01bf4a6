"""When a project is looked at again, and at how much of it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.grouping.due import (
    LOCAL_POINTS,
    NEIGHBOURHOOD,
    PER_CLUSTER,
    WHOLE,
    due,
    spaced,
)
from tests.rules.grouping.made import several

COUNTS = st.integers(0, 100_000)


@pytest.mark.parametrize(
    ("total", "since", "pending", "burst", "is_due"),
    [
        (0, 0, 0, 0, False),  # nothing happened
        (500, 0, 0, 0, False),
        (0, 1, 0, 1, True),  # the first items
        (0, 500, 90_000, 500, True),  # the first batch of an import
        (500, 1_499, 88_000, 1_999, False),  # which goes on
        (500, 1_500, 88_000, 2_000, True),  # until the project is four times as large
        (500, 1_499, 0, 1_999, True),  # or the import is done
        (1_000, 52, 0, 52, False),  # a small burst
        (1_000, 53, 0, 53, True),  # a burst of a twentieth of all
        (1_000, 53, 1, 53, False),  # which goes on
        (1_000, 249, 0, 1, False),  # a trickle
        (1_000, 250, 0, 1, True),  # that has come to a quarter
        (1_000, 250, 1, 1, False),
        (100_000, 11_999, 1, 11_999, False),  # of a large project as much as can be looked at
        (100_000, 12_000, 1, 12_000, True),
    ],
)
def test_when_a_look_is_due(total: int, since: int, pending: int, burst: int, is_due: bool) -> None:
    """After a burst, after a quarter of growth, and while an import lasts at each fourfold."""
    assert due(total, since, pending, burst) is is_due


@several
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_more_is_never_less_due(total: int, since: int, pending: int, burst: int) -> None:
    """What has come since only adds to it, and so does that nothing is waiting."""
    if due(total, since, pending, burst):
        assert due(total, since, 0, max(burst, since))
        assert since > 0
    assert due(total, max(3 * total, 1), pending, burst)


@several
@given(st.integers(0, 5_000), st.integers(2, 100))
def test_those_that_stand_for_others(count: int, wanted: int) -> None:
    """Ascending and without repeats, first and last among them, as evenly as numbers go."""
    found = spaced(count, wanted)
    assert len(found) == min(count, wanted)
    assert found == sorted(set(found))
    assert found[:1] + found[-1:] == ([0, count - 1] if count else [])
    steps = {b - a for a, b in pairwise(found)}
    assert not steps or max(steps) - min(steps) <= 1


def test_a_large_cluster_leaves_room_for_others() -> None:
    """There are many clusters in a neighbourhood and in a local look, whatever their sizes."""
    assert PER_CLUSTER * 20 <= NEIGHBOURHOOD <= LOCAL_POINTS <= WHOLE
