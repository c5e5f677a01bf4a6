"""Names are given in time, or not at all."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

import pytest

from soulcaster.edges.cluster_store import Named
from soulcaster.edges.gemini import Gemini, GeminiError, Name
from soulcaster.use_cases import name_clusters as use_case
from soulcaster.use_cases.name_clusters import (
    NAMES_AT_ONCE,
    NAMING_SECONDS,
    Changed,
    name_clusters,
)


class Model(Gemini):
    """It names texts at once, refuses those that say so, and says nothing to those that hang."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.answers = threading.Event()

    def name(self, texts: Sequence[str]) -> Name:
        """A name made of the first text."""
        self.asked.append(list(texts))
        if "refuse" in texts[0]:
            raise GeminiError("no")
        if "hang" in texts[0]:
            self.answers.wait(60)
        return Name(f"About {texts[0]}", "In short.")


@pytest.fixture
def model() -> Iterator[Model]:
    made = Model()
    yield made
    made.answers.set()


def changed(*texts: str, size: int = 0, named_size: int = 0) -> Changed:
    """A cluster called after the first of its texts, new if it was not named."""
    return Changed(f"of {texts[0]}", size or len(texts), named_size, texts[0], texts)


def test_names_come_from_the_model_and_titles_from_lone_items(model: Model) -> None:
    """Two items are named by the model, one by its own title."""
    assert name_clusters([changed("a", "b"), changed("c")], model) == [
        Named("of c", "c", "", 1, "title"),
        Named("of a", "About a", "In short.", 2, "model"),
    ]
    assert model.asked == [["a", "b"]]


@pytest.mark.parametrize(
    ("size", "named_size", "asked"),
    [(4, 3, 0), (5, 3, 0), (6, 3, 1), (3, 1, 1), (4, 7, 0), (4, 8, 1), (2, 5, 1)],
)
def test_a_cluster_is_named_anew_when_it_has_doubled_or_halved(
    model: Model, size: int, named_size: int, asked: int
) -> None:
    """Not before, and then by the size that it has."""
    names = name_clusters([changed("a", size=size, named_size=named_size)], model)
    assert len(model.asked) == asked
    assert [one.size for one in names] == [size] * asked


def test_a_cluster_that_one_item_is_left_of_is_named_by_it(model: Model) -> None:
    """Once: who has that name already keeps it, with nothing written."""
    assert name_clusters([changed("a", named_size=2)], model) == [
        Named("of a", "a", "", 1, "title")
    ]
    assert name_clusters([changed("a", named_size=1)], model) == []
    assert model.asked == []


def test_what_is_said_twice_says_it_once(model: Model) -> None:
    """Copies of a text don't take the place of others."""
    name_clusters([changed("a", "a", "b", "a", size=9)], model)
    assert model.asked == [["a", "b"]]


def test_what_can_not_be_named_has_a_title(model: Model) -> None:
    """A new cluster gets its founder's, and is due again; an old one keeps what it is called."""
    assert name_clusters([changed("refuse", "b")], model) == [
        Named("of refuse", "refuse", "", 1, "title")
    ]
    assert name_clusters([changed("refuse", "b", size=4, named_size=2)], model) == []


def test_naming_ends_in_time(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 60 seconds what there is counts: calls that hang are left, and no more are begun."""
    limits = []

    def time_is_up(asked: Sequence[Future[Any]], timeout: float) -> None:
        limits.append(timeout)
        wait(asked, 60, FIRST_COMPLETED)

    monkeypatch.setattr(use_case, "wait", time_is_up)
    hanging = [[f"hang {n}", "x"] for n in range(NAMES_AT_ONCE)]
    waiting = [[f"hang {n}", "x"] for n in range(NAMES_AT_ONCE, NAMES_AT_ONCE + 3)]
    names = name_clusters([changed(*one) for one in (["a", "b"], *hanging, *waiting)], model)
    assert limits == [NAMING_SECONDS] == [60]
    assert {(one.name, one.by, one.size) for one in names} == {
        ("About a", "model", 2),
        *((first, "title", 1) for first, _ in (*hanging, *waiting)),
    }
    assert len(model.asked) <= 1 + NAMES_AT_ONCE
