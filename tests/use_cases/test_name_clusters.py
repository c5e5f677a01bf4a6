"""Names are given in time, or not at all."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

import pytest

from soulcaster.edges.cluster_store import Claim, Context, Named, Pending
from soulcaster.edges.gemini import Gemini, GeminiError, Name
from soulcaster.rules.cluster import Assignment, Member
from soulcaster.use_cases import name_clusters as use_case
from soulcaster.use_cases.name_clusters import NAMES_AT_ONCE, NAMING_SECONDS, name_clusters

NOTHING = Context({}, {})


class Model(Gemini):
    """It names texts at once, refuses those that say so, and says nothing to those that hang."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.answers = threading.Event()

    def name(self, texts: Sequence[str]) -> Name:
        """A name made of the first text."""
        self.asked.append(list(texts))
        if "refuse" in texts[0]:
            raise GeminiError("no", retryable=False)
        if "hang" in texts[0]:
            self.answers.wait(60)
        return Name(f"About {texts[0]}", "In short.")


@pytest.fixture
def model() -> Iterator[Model]:
    made = Model()
    yield made
    made.answers.set()


def batch(*clusters: Sequence[str]) -> tuple[Claim, list[Assignment]]:
    """A claim whose items, known by their titles, are each in the cluster of the first of them."""
    items = [Pending(one, one, one, "", "github", 0, "") for each in clusters for one in each]
    assigned = [
        Assignment(one, f"of {each[0]}", one == each[0], 0.9, 0.5, ())
        for each in clusters
        for one in each
    ]
    return Claim("larder", "a", "1", tuple(items), ()), assigned


def test_names_come_from_the_model_and_titles_from_lone_items(model: Model) -> None:
    """Two items are named by the model, one by its own title."""
    claim, assigned = batch(["a", "b"], ["c"])
    assert name_clusters(claim, assigned, NOTHING, model) == [
        Named("of c", "c", "", 1, "title"),
        Named("of a", "About a", "In short.", 2, "model"),
    ]
    assert model.asked == [["a", "b"]]


def test_a_cluster_is_named_anew_when_it_has_doubled(model: Model) -> None:
    """Not before, and then from its new items and their neighbours' titles."""
    claim, assigned = batch(["a"])
    (one,) = assigned
    near = Assignment(
        one.id, "of a", False, 0.9, 0.5, (Member("m", "of a", 0.9), Member("x", "of x", 0.9))
    )
    for named_size, asked in ((3, []), (2, [["a", "older"]])):
        context = Context({"m": ("of a", "older")}, {"of a": (3, named_size)})
        names = name_clusters(claim, [near], context, model)
        assert (model.asked, len(names)) == (asked, len(asked))


def test_what_can_not_be_named_has_a_title(model: Model) -> None:
    """A new cluster gets its founder's, and is due again; an old one keeps what it is called."""
    claim, assigned = batch(["refuse", "b"])
    assert name_clusters(claim, assigned, NOTHING, model) == [
        Named("of refuse", "refuse", "", 1, "title")
    ]
    known = Context({}, {"of refuse": (2, 2)})
    assert name_clusters(claim, assigned, known, model) == []


def test_naming_ends_in_time(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 60 seconds what there is counts: calls that hang are left, and no more are begun."""
    limits = []

    def time_is_up(asked: Sequence[Future[Any]], timeout: float) -> None:
        limits.append(timeout)
        wait(asked, 60, FIRST_COMPLETED)

    monkeypatch.setattr(use_case, "wait", time_is_up)
    hanging = [[f"hang {n}", "x"] for n in range(NAMES_AT_ONCE)]
    waiting = [[f"hang {n}", "x"] for n in range(NAMES_AT_ONCE, NAMES_AT_ONCE + 3)]
    claim, assigned = batch(["a", "b"], *hanging, *waiting)
    names = name_clusters(claim, assigned, NOTHING, model)
    assert limits == [NAMING_SECONDS] == [60]
    assert {(one.name, one.by, one.size) for one in names} == {
        ("About a", "model", 2),
        *((first, "title", 1) for first, _ in (*hanging, *waiting)),
    }
    assert len(model.asked) <= 1 + NAMES_AT_ONCE
