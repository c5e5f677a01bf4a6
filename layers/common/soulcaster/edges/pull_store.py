"""What became of pull requests, in Redis."""

import json
from collections.abc import Sequence
from typing import Any

from soulcaster.edges.redis import Redis
from soulcaster.rules.pull_news import CheckNews, News


class PullStore:
    """Moves jobs and clusters on after their pull request was opened; one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def tell(self, project: str, news: Sequence[News]) -> int:
        """Apply GitHub's news; returns how many were about pull requests of ours.

        Idempotent, and independent of the order in which they arrive; news of other pull
        requests changes nothing. Raises ``RedisError``.
        """
        return int(self._redis.run("pull_news", project, json.dumps([_told(one) for one in news])))


def _told(one: News) -> dict[str, Any]:
    common = {
        "repository": one.repository,
        "head": one.head,
        "version": str(one.version),
        "at": str(one.at),
        "received": str(one.received_at),
    }
    if isinstance(one, CheckNews):
        numbers = [str(number) for number in one.numbers]
        return {**common, "numbers": numbers, "suite": str(one.suite), "checks": one.checks}
    return {
        **common,
        "numbers": [str(one.number)],
        "what": one.what,
        "state": one.state,
        "draft": "1" if one.draft else "0",
    }
