"""The items of a neighbourhood, as arrays side by side."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.grouping.lens import KINDS
from soulcaster.rules.grouping.marks import DIMENSIONS
from soulcaster.rules.grouping.points import Points
from tests.rules.grouping.made import crowd, nothing, placed, seeds, several


def rows(some: Points) -> list[tuple[object, ...]]:
    """Each item with all that belongs to it."""
    return [
        (
            *(some.ids[i], some.kinds[i], some.clusters[i], some.names[i]),
            *(some.vectors[i].tobytes(), some.marks[i].tobytes()),
            *(float(some.weights[i]), bool(some.held[i])),
        )
        for i in range(len(some))
    ]


@several
@given(seeds, st.integers(0, 8), st.integers(0, 8))
def test_all_of_an_item_stays_together(seed: int, count: int, others: int) -> None:
    """However they are chosen, sorted or put beside others."""
    rng = np.random.default_rng(seed)
    all_ = placed(crowd(seed, 1 + count + others, kinds=KINDS), seed, 3)
    one, other = all_.chosen(range(count)), all_.chosen(range(count, count + others))
    assert rows(one.beside(other)) == rows(one) + rows(other)
    order = rng.permutation(count)
    mixed = one.chosen(order)
    assert rows(mixed) == [rows(one)[i] for i in order]
    assert rows(mixed.sorted()) == sorted(rows(one))


def test_there_may_be_none() -> None:
    """Nothing beside nothing is nothing."""
    assert rows(nothing().beside(nothing()).sorted()) == []


def test_arrays_of_different_lengths_are_refused() -> None:
    """Items would get what belongs to others."""
    with pytest.raises(ValueError, match="one length"):
        Points(
            ("a",),
            ("short",),
            np.zeros((1, 4), np.float32),
            np.zeros((2, DIMENSIONS), np.float32),
            ("",),
            np.ones(1, np.float32),
            np.zeros(1, bool),
            ((),),
        )
