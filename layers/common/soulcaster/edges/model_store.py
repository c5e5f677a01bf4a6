"""What was measured of embedding models, in Redis."""

from soulcaster.edges.redis import Redis


class ModelStore:
    """One text for each space of vectors; who clusters gets it with its claim."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def put(self, space: str, text: str) -> str:
        """Keep ``text`` for ``space``; returns what was kept before, '' for nothing."""
        return str(self._redis.run("model_put", space, text))
