"""Clusters that tests can tell apart at a glance."""

from typing import Any

from soulcaster.edges.cluster_list import ClusterList
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.look_store import LookStore, Moved
from soulcaster.edges.redis import Redis
from soulcaster.rules import ids
from soulcaster.rules.correction import Decision
from tests.edges.clusters import LEASE_MS, clustered
from tests.rules.samples import NOW, feedback

DECIDED = Decision("ada", "the same bug", NOW)


class Clusters:
    """Clusters by letter, with items a0, a1, … in the order of their age."""

    def __init__(self, redis: Redis, **sizes: int) -> None:
        self._redis = redis
        self._looks = 0
        self.ids: dict[str, str] = {}
        for letter, size in sizes.items():
            items = [feedback(external_id=f"{letter}{n}", created_at=NOW + n) for n in range(size)]
            self.ids[letter] = clustered(redis, *items, name=f"Cluster {letter}")

    def __getitem__(self, letter: str) -> str:
        return self.ids[letter]

    def item(self, name: str) -> str:
        """The id of an item."""
        return ids.feedback_id("larder", "github", name)

    def where(self, name: str) -> str:
        """The cluster that an item is in."""
        found = FeedbackStore(self._redis).read("larder", self.item(name))
        assert found is not None
        return str(found["cluster"])

    def read(self, letter: str) -> dict[str, Any]:
        """A cluster as the API shows it, by its letter or id."""
        found = ClusterList(self._redis).read("larder", self.ids.get(letter, letter), 50, NOW)
        assert found is not None
        return found

    def machine(self, *moves: Moved) -> int:
        """The machine thinks better of items; returns how many were moved."""
        looks = LookStore(self._redis)
        self._looks += 1
        claim = looks.claim("larder", f"look-{self._looks}", LEASE_MS, NOW, asked=True)
        assert claim is not None
        return looks.commit(claim, moves, [], [], "", NOW)
