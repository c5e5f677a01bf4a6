"""Put a project's vectors into the index anew, from what Redis holds."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from soulcaster.edges.feedback_store import FeedbackStore, Text
from soulcaster.edges.gemini import Gemini
from soulcaster.edges.vector import Vectors

log = logging.getLogger(__name__)

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Reindexed:
    """How many items the index is to have, and how many were embedded for it."""

    items: int
    embedded: int


def reindex(
    project: str,
    *,
    feedback: FeedbackStore,
    vectors: Vectors,
    gemini: Gemini,
    only_missing: bool = False,
) -> Reindexed | None:
    """Embed a project's texts anew and put the vectors; None without such a project.

    Into the namespace of the model that ``vectors`` and ``gemini`` have, beside running work, a
    page of 1,000 items at a time; no cluster changes. What is edited meanwhile is embedded again,
    so that no vector of an old text stays. ``only_missing`` leaves alone what the index has: that
    goes on where an earlier run was cut off. Raises ``RedisError``, ``VectorError`` or
    ``GeminiError``.
    """
    items = embedded = 0
    position, limit = "", PAGE
    read: dict[str, str] = {}
    while True:
        page = feedback.texts(project, position, limit, read)
        if page is None:
            return None
        known = vectors.known(project, [one.id for one in page.items]) if only_missing else set()
        wanted = [*page.changed, *(one for one in page.items if one.id not in known)]
        _put(project, wanted, vectors, gemini)
        items += len(page.items)
        embedded += len(wanted)
        log.info("indexed", extra={"project": project, "items": items, "embedded": embedded})
        read = {one.id: one.text_hash for one in wanted}
        if not page.next:
            limit = 0
            if not read:
                return Reindexed(items, embedded)
        position = page.next


def _put(project: str, texts: Sequence[Text], vectors: Vectors, gemini: Gemini) -> None:
    vectors.put(project, [one.id for one in texts], gemini.embed([one.text for one in texts]))
