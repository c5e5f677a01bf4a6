"""The product's clustering on real stores, with a model that knows what reports are about."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from soulcaster.edges.cluster_list import ClusterList
from soulcaster.edges.cluster_store import ClusterStore, Committed, Decided
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.gemini import Gemini, Name
from soulcaster.edges.look_store import LookStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.edges.vector import Vectors
from soulcaster.rules import ids
from soulcaster.rules.correction import Decision
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.project import Project
from soulcaster.use_cases.batch import embedded, packed_vector
from soulcaster.use_cases.cluster_pending import Batch, cluster_pending
from soulcaster.use_cases.rebalance import Look, look_again
from soulcaster.use_cases.reindex import Reindexed, reindex

PROJECT, WIDTH, TOKEN = "larder", 64, "vector-token"
THEN = 1_780_000_000_000
TOPICS = (
    "export loses rows of the file",
    "night colours are unreadable",
    "pancakes recipe wanted",
    "login fails after password reset",
    "photo upload crashes",
    "sorting pantry by date",
)
DECIDED = Decision("ada", "so", THEN)


class Topics(Gemini):
    """Texts about one topic, which is all but the last word, are near; others are far apart.

    ``shift`` makes another model of it.
    """

    def __init__(self, shift: int = 0) -> None:
        self.asked: list[str] = []
        self.named: list[list[str]] = []
        self._shift = shift

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A vector of length 1 for each."""
        self.asked += texts
        rows = [self._vector(text) for text in texts]
        return np.array(rows, np.float32).reshape(len(rows), WIDTH)

    def name(self, texts: Sequence[str]) -> Name:
        """What the first is about."""
        self.named.append(list(texts))
        return Name(topic_of(texts[0]), "In short.")

    def _vector(self, text: str) -> NDArray[np.float64]:
        topic = topic_of(text)
        place = TOPICS.index(topic) if topic in TOPICS else crc32(topic.encode()) % 50
        noise = np.random.default_rng(crc32(text.encode())).normal(size=WIDTH)
        vector = np.roll(np.eye(WIDTH)[place], self._shift) + 0.03 * noise
        result: NDArray[np.float64] = vector / np.linalg.norm(vector)
        return result


def topic_of(text: str) -> str:
    """All but the last word of its first line."""
    return text.partition("\n")[0].rpartition(" ")[0]


@dataclass
class Working:
    """A project, and all that works on it."""

    redis: Redis
    vectors: Vectors
    gemini: Topics = field(default_factory=Topics)
    numbers: "count[int]" = field(default_factory=count)
    now: int = THEN

    def __post_init__(self) -> None:
        self.clusters = ClusterStore(self.redis)
        self.feedback = FeedbackStore(self.redis)
        self.people = CorrectionStore(self.redis)
        self.looks = LookStore(self.redis)
        project = Project(id=PROJECT, name="Larder", repository="acme/larder")
        ProjectStore(self.redis).put(project, new=True)

    def store(self, *topics: int, say: str = "", again: str = "") -> list[str]:
        """A report about each of the topics; returns their ids.

        ``say``: instead of words of its own; ``again``: the id outside of an item said before.
        """
        items = []
        for topic in topics:
            number = next(self.numbers)
            items.append(
                Feedback(
                    project=PROJECT,
                    source="github",
                    source_id=ids.source_id(PROJECT, "github"),
                    channel="acme/larder",
                    external_id=again or f"issue-{number}",
                    title=f"{TOPICS[topic]} {say or word(number)}",
                    body="",
                    author=None,
                    url=None,
                    severity=None,
                    occurrences=1,
                    created_at=THEN + number,
                    received_at=THEN + number,
                    version=THEN + number,
                )
            )
        self.feedback.store(PROJECT, [(item, "") for item in items])
        return [item.id for item in items]

    def cluster(self, owner: str = "a") -> Batch | None:
        """A batch, as the product makes it."""
        return cluster_pending(
            PROJECT,
            owner,
            clusters=self.clusters,
            vectors=self.vectors,
            gemini=self.gemini,
            now=lambda: self.now,
            lease_ms=60_000,
        )

    def put(self, cluster: str, *, lag: bool = False) -> Committed:
        """All that is pending into one cluster, whatever it is about.

        ``lag``: the index does not show it yet.
        """
        claim = self.clusters.claim(PROJECT, "a", 60_000, 500, self.now)
        assert claim is not None
        batch = embedded(claim.items, self.gemini)
        if not lag:
            self.vectors.put(PROJECT, [item.id for item in batch.items], batch.vectors)
        decided = [
            Decided(item.id, item.text_hash, cluster, "{}", marks=marks, names=names)
            for item, marks, names in zip(batch.items, batch.marks, batch.names, strict=True)
        ]
        recents = [
            (item.id, packed_vector(row, self.vectors.space))
            for item, row in zip(batch.items, batch.vectors, strict=True)
        ]
        until = self.now + 100
        return self.clusters.commit(claim, decided, [], recents if lag else [], self.now, until)

    def look(self, *, asked: bool = True) -> Look | None:
        """A look, as the product takes it."""
        return look_again(
            PROJECT,
            f"look-{next(self.numbers)}",
            looks=self.looks,
            vectors=self.vectors,
            gemini=self.gemini,
            now=lambda: self.now,
            lease_ms=60_000,
            asked=asked,
        )

    def reindex(self, *, only_missing: bool = False) -> Reindexed | None:
        """The index is made anew."""
        return reindex(
            PROJECT,
            feedback=self.feedback,
            vectors=self.vectors,
            gemini=self.gemini,
            only_missing=only_missing,
        )

    def where(self, *items: str) -> list[str]:
        """The cluster of each."""
        return [self.item(i)["cluster"] for i in items]

    def item(self, identifier: str) -> dict[str, Any]:
        """An item as the API shows it."""
        found = self.feedback.read(PROJECT, identifier)
        assert found is not None
        return found

    def shown(self, cluster: str) -> dict[str, Any]:
        """A cluster as the API shows it."""
        found = ClusterList(self.redis).read(PROJECT, cluster, 50, self.now)
        assert found is not None
        return found

    def groups(self) -> dict[str, set[str]]:
        """Which items are together."""
        found: dict[str, set[str]] = {}
        page = self.feedback.page(PROJECT, "", 1_000)
        assert page is not None
        for item in page.items:
            found.setdefault(item["cluster"], set()).add(item["id"])
        return found


def word(number: int) -> str:
    """A word of its own for a number."""
    return "".join(chr(97 + int(digit)) for digit in str(number)) + "x"
