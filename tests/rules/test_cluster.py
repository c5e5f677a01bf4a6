from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from soulcaster.rules.cluster import (
    NEAREST,
    REPORT_CHARS,
    THRESHOLDS,
    Assignment,
    Item,
    Kind,
    Member,
    assign,
    kind_of,
)

BARS: dict[Kind, float] = {"short": 0.6, "report": 0.65, "error": 0.8}


def at(*degrees: float) -> NDArray[np.float32]:
    """Unit vectors in the plane, a row for each angle: cosines are those of the differences."""
    angles = np.radians(np.array(degrees, np.float64))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def place(
    items: Sequence[Item],
    vectors: NDArray[np.float32],
    neighbours: Sequence[Sequence[Member]] | None = None,
) -> list[Assignment]:
    """Assign with the bars ``BARS``, naming a new cluster ``of-<founder>``."""
    return assign(items, vectors, neighbours or [[] for _ in items], BARS, "of-{}".format)


def short(*names: str) -> list[Item]:
    return [Item(name, "short") for name in names]


def test_a_lonely_item_opens_a_cluster() -> None:
    """Without anything to compare with, an item founds a cluster that bears its name."""
    (only,) = place(short("a"), at(0))
    assert (only.cluster, only.opened, only.nearest) == ("of-a", True, ())
    assert only.threshold == BARS["short"]


def test_similar_items_of_one_batch_join() -> None:
    """An item is compared with those placed before it, too."""
    placed = place(short("a", "b", "c"), at(0, 20, 120))
    assert [one.cluster for one in placed] == ["of-a", "of-a", "of-c"]
    assert [one.opened for one in placed] == [True, False, True]
    (near,) = placed[1].nearest
    assert (near.id, near.cluster) == ("a", "of-a")
    assert near.cosine == pytest.approx(np.cos(np.radians(20)), abs=1e-4)


@pytest.mark.parametrize("kind", BARS)
def test_the_bar_itself_is_enough(kind: Kind) -> None:
    """At its kind's threshold an item joins, a hair below it does not."""
    bar = BARS[kind]
    for cosine, joins in [(bar, True), (bar - 0.0002, False), (1.0, True), (-1.0, False)]:
        (one,) = place([Item("a", kind)], at(0), [[Member("m", "old", cosine)]])
        assert one.opened is not joins
        assert one.cluster == ("old" if joins else "of-a")


def test_the_nearest_few_decide() -> None:
    """A cluster's score is the mean over its nearest members; far ones don't count."""
    near = [Member(f"n{i}", "old", 0.7) for i in range(NEAREST)]
    far = [Member(f"f{i}", "old", 0.1) for i in range(7)]
    (one,) = place(short("a"), at(0), [far + near])
    assert (one.cluster, one.score) == ("old", 0.7)
    assert one.nearest == tuple(near)


def test_the_best_cluster_wins() -> None:
    """Of several clusters above the bar the most similar one is joined."""
    members = [Member("m", "good", 0.7), Member("n", "better", 0.9), Member("o", "bad", 0.2)]
    (one,) = place(short("a"), at(0), [members])
    assert (one.cluster, one.score) == ("better", 0.9)


def test_a_tie_has_one_winner() -> None:
    """Equal scores are settled by name, whatever the order of the neighbours."""
    tied = [Member("m", "x", 0.8), Member("n", "y", 0.8)]
    first = place(short("a"), at(0), [tied])
    assert place(short("a"), at(0), [tied[::-1]])[0].cluster == first[0].cluster


def test_the_callers_order_is_kept() -> None:
    """Answers come in the order of the items, and the first of a group founds its cluster."""
    assert [one.id for one in place(short("b", "a"), at(0, 1))] == ["b", "a"]
    assert place(short("b", "a"), at(0, 1))[1].cluster == "of-b"


@given(
    st.lists(st.floats(0, 360), min_size=1, max_size=12),
    st.lists(st.lists(st.tuples(st.sampled_from("xyz"), st.floats(-1, 1)), max_size=5)),
)
def test_the_same_input_gives_the_same_answer(
    angles: list[float], known: list[list[tuple[str, float]]]
) -> None:
    """Deterministic; every item is placed; one that opens a cluster is below every bar."""
    items = short(*(f"i{n}" for n in range(len(angles))))
    known = (known + [[] for _ in items])[: len(items)]
    neighbours = [
        [Member(f"{c}{n}", c, score) for n, (c, score) in enumerate(row)] for row in known
    ]
    placed = place(items, at(*angles), neighbours)
    assert placed == place(items, at(*angles), [row[::-1] for row in neighbours])
    assert [one.id for one in placed] == [item.id for item in items]
    for one in placed:
        assert one.opened is (one.cluster == f"of-{one.id}")
        if abs(one.score - one.threshold) > 0.0001:
            assert one.opened is (one.score < one.threshold)


def test_lengths_must_agree() -> None:
    """A missing vector or row of neighbours is the caller's mistake, not a silent shift."""
    with pytest.raises(ValueError, match="one length"):
        place(short("a", "b"), at(0))
    with pytest.raises(ValueError, match="one length"):
        place(short("a"), at(0), [[], []])


def test_nothing_is_placed_nowhere() -> None:
    """An empty batch is answered with nothing."""
    assert place([], np.empty((0, 2), np.float32)) == []


def test_the_kind_of_a_text() -> None:
    """Sentry's are errors; the rest is told by length."""
    assert kind_of("sentry", "x") == "error"
    assert kind_of("github", "x" * REPORT_CHARS) == "short"
    assert kind_of("github", "x" * (REPORT_CHARS + 1)) == "report"


def test_every_model_has_its_bars() -> None:
    """Each known model has a threshold for each kind of text."""
    assert "gemini-embedding-001" in THRESHOLDS
    for bars in THRESHOLDS.values():
        assert bars.keys() == BARS.keys()
        assert all(0 < bar < 1 for bar in bars.values())
