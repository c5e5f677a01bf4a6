"""Search a project's feedback and clusters, by words and by meaning."""

import logging
from dataclasses import dataclass

from soulcaster.edges.gemini import Gemini, GeminiError
from soulcaster.edges.search_store import Records, SearchStore
from soulcaster.edges.vector import VectorError, Vectors
from soulcaster.rules.words import TOKENS_PER_QUERY, tokens

log = logging.getLogger(__name__)

NEAR = 50  # how many the index is asked for


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, best first; ``meaning``: whether it was searched by meaning, too."""

    meaning: bool
    feedback: Records
    clusters: Records


def search(
    project: str,
    query: str,
    limit: int,
    *,
    searches: SearchStore,
    gemini: Gemini,
    vectors: Vectors,
    now: int,
    source: str = "",
    status: str = "",
) -> Found | None:
    """Up to ``limit`` items and clusters for ``query``; None when there is no such project.

    One request to Gemini, one to the index and one to Redis. Where Gemini or the index fails,
    it is a search by words alone. Raises ``RedisError``.
    """
    near = _near(project, query, gemini, vectors)
    words = tokens(query, TOKENS_PER_QUERY)
    found = searches.find(project, words, near or [], limit, now=now, source=source, status=status)
    return None if found is None else Found(near is not None, *found)


def _near(project: str, query: str, gemini: Gemini, vectors: Vectors) -> list[str] | None:
    """Feedback that is near in meaning, nearest first; None when that can't be told now."""
    try:
        (hits,) = vectors.nearest(project, gemini.embed([query]), NEAR)
    except (GeminiError, VectorError):
        log.warning("searched by words alone", extra={"project": project}, exc_info=True)
        return None
    return [identifier for identifier, _ in hits]
