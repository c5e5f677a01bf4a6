"""What a project takes in by the sources that it has anyway, in Redis."""

from dataclasses import dataclass

from soulcaster.edges.redis import Redis
from soulcaster.rules.day import day_of
from soulcaster.rules.project import DEFAULTS
from soulcaster.rules.quota import Standing
from soulcaster.rules.source import Source


@dataclass(frozen=True, slots=True)
class Door:
    """A source as it is now, and what its project has used up."""

    source: Source
    standing: Standing


class Intake:
    """Looks whether there is room; one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def look(self, known: Source, now: int) -> Door | None:
        """The door that an item comes by; None when there is no such project.

        ``known`` is the source as it is until somebody changes it. An item that there is no room
        for is counted as refused.
        """
        day, limits = day_of(now), (DEFAULTS.items_per_day, DEFAULTS.pending_items)
        found = self._redis.run("intake", known.project, known.id, day, *limits)
        if not found:
            return None
        stored, items, pending, per_day, at_once = found
        standing = Standing(day, items, pending, per_day, at_once)
        return Door(Source.from_json(stored) if stored else known, standing)
