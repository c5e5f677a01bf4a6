"""Two who change a source at the same time."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.edges.source_store import Found, SourceStore
from soulcaster.rules.correction import Conflict
from soulcaster.rules.project import Project
from soulcaster.use_cases import sources as use_case
from tests.rules.samples import NOW, source

WEB = source("standard", "s3cret")


class Between(SourceStore):
    """The store, where somebody else does something between a look and what comes of it."""

    def __init__(self, redis: Redis, *others: Callable[[SourceStore], object]) -> None:
        super().__init__(redis)
        self._other, self._others = SourceStore(redis), list(others)

    def read(self, project: str, identifier: str) -> Found | None:
        """What is there before the other comes."""
        found = super().read(project, identifier)
        if self._others:
            self._others.pop(0)(self._other)
        return found


@pytest.fixture
def store(redis: Redis) -> SourceStore:
    """The store, with a source in it."""
    assert ProjectStore(redis).put(Project(id="larder", name="Larder"), new=True)
    made = SourceStore(redis)
    assert made.make(WEB) == "made"
    return made


def per_minute(number: int) -> Callable[[SourceStore], object]:
    """Somebody who changes the rate."""
    return lambda store: use_case.change(WEB.id, sources=store, now=NOW, per_minute=number)


def test_a_change_keeps_what_came_between(redis: Redis, store: SourceStore) -> None:
    """Both are there in the end, and in what is answered."""
    between = Between(redis, per_minute(1), per_minute(2))
    changed = use_case.change(WEB.id, sources=between, now=NOW, enabled=False)
    assert changed is not None
    assert changed.source == replace(WEB, enabled=False, per_minute=2)
    assert store.sources([("larder", WEB.id)]) == [changed.source]


def test_two_rotations_leave_both_secrets(redis: Redis, store: SourceStore) -> None:
    """Neither of the two that were shown to somebody is lost."""

    def rotate(to: SourceStore, secret: str) -> Found | None:
        return use_case.rotate(WEB.id, secret, 60, sources=to, now=NOW)

    between = Between(redis, lambda other: rotate(other, "the-other-one"))
    changed = rotate(between, "the-one")
    assert changed is not None
    assert changed.source.accepted(NOW) == ("the-one", "s3cret", "the-other-one")
    assert store.sources([("larder", WEB.id)]) == [changed.source]


def test_a_change_of_what_is_removed_meanwhile_is_none(redis: Redis, store: SourceStore) -> None:
    """It does not bring the source back."""
    between = Between(redis, lambda other: use_case.remove(WEB.id, sources=other, now=NOW))
    assert use_case.change(WEB.id, sources=between, now=NOW, enabled=False) is None
    assert store.read("larder", WEB.id) is None


def test_a_removal_is_of_what_is_there(redis: Redis, store: SourceStore) -> None:
    """What came between is gone with it."""
    assert use_case.remove(WEB.id, sources=Between(redis, per_minute(1)), now=NOW)
    assert store.read("larder", WEB.id) is None


def test_whoever_is_always_late_is_told(redis: Redis, store: SourceStore) -> None:
    """After a few attempts it is a conflict, and nothing of it was written."""
    others = [per_minute(number) for number in range(1, use_case.ATTEMPTS + 1)]
    with pytest.raises(Conflict):
        use_case.change(WEB.id, sources=Between(redis, *others), now=NOW, enabled=False)
    assert store.sources([("larder", WEB.id)]) == [replace(WEB, per_minute=use_case.ATTEMPTS)]
