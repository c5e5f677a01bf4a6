"""What a search finds in Redis."""

import json
from collections.abc import Sequence
from typing import Any

from soulcaster.edges.cluster_list import DAY_MS, TREND_DAYS, cluster_view
from soulcaster.edges.feedback_store import FIELDS, feedback_view
from soulcaster.edges.redis import Redis, record

type Records = list[dict[str, Any]]


class SearchStore:
    """Searches by words and fuses what was found by meaning; one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def find(
        self,
        project: str,
        tokens: Sequence[str],
        near: Sequence[str],
        limit: int,
        *,
        now: int,
        source: str = "",
        status: str = "",
    ) -> tuple[Records, Records] | None:
        """Feedback and clusters, up to ``limit`` of each, best first; None without the project.

        ``near``: ids of feedback that is near in meaning, nearest first. ``source`` and
        ``status`` ('' for any) keep feedback of a kind of source, and what is in a cluster of
        that status. Feedback says by which words it was found (``words``) and its place in
        ``near`` (``meaning_rank``, None when not there), a cluster which words are in its
        name. ``now`` in ms. Raises ``RedisError``.
        """
        found = self._redis.run(
            "search",
            project,
            json.dumps(list(tokens)),
            json.dumps(list(near)),
            limit,
            source,
            status,
            now // DAY_MS,
            TREND_DAYS,
            *FIELDS,
        )
        if not found:
            return None
        feedback, clusters = found
        return (
            [
                {**feedback_view(values), "words": words, "meaning_rank": rank or None}
                for values, words, rank in feedback
            ],
            [
                {**cluster_view(record(fields), days), "words": words}
                for fields, days, words in clusters
            ],
        )
