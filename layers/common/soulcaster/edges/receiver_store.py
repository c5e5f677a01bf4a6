"""What the webhook receiver knows of sources and projects, most of the time without asking."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from soulcaster.edges.lean import LeanError, LeanRedis
from soulcaster.rules.day import day_of
from soulcaster.rules.project import DEFAULTS
from soulcaster.rules.quota import Standing, minute_of
from soulcaster.rules.source import Source

REMEMBERED_SECONDS = 60
# How often somebody without a right signature can make this ask, and after how long it asks again
# when nobody has answered.
AGAIN_SECONDS = 5
NOTE_SECONDS = 60
COUNT_SECONDS = 1
REMEMBERED = 1_000  # sources, projects, notes: of each
NOTE_CHARS = 300
UNAUTHORISED = 401


@dataclass(slots=True)
class _Known:
    """A source, when it was ``looked`` at and ``doubted`` (s), and what it has sent of late.

    ``request`` is the moment (ms) of the request that it was looked up for. ``taken`` deliveries
    came in the UTC ``minute``; ``refused`` ones are yet to be counted in Redis.
    """

    source: Source
    looked: float
    request: int
    doubted: float = -math.inf
    minute: int = 0
    taken: int = 0
    refused: int = 0


@dataclass(slots=True)
class ReceiverStore:
    """Remembers, of one instance of the receiver, what came and what Redis said.

    ``connect`` makes a client with the token as it is now; it and the client raise ``LeanError``.
    """

    connect: Callable[[], LeanRedis]
    _redis: LeanRedis | None = None
    _known: dict[str, _Known] = field(default_factory=dict)
    _missing: dict[str, float] = field(default_factory=dict)
    _standings: dict[str, Standing] = field(default_factory=dict)
    _noted: dict[tuple[str, str], float] = field(default_factory=dict)
    _counted: float = -math.inf
    _silent: float = -math.inf

    def find(self, project: str, source_id: str, now: int, *, fresh: bool) -> Source | None:
        """The source, or None; ``fresh`` asks for more than what is remembered.

        The project of the id is ``project``; ``now`` (ms) is the request's moment. While Redis
        does not answer, what was known serves, however old; raises ``LeanError`` where nothing was.
        """
        known, clock = self._known.get(source_id), time.monotonic()
        if known is None:
            if clock - self._missing.get(source_id, -math.inf) < AGAIN_SECONDS:
                return None
            return self._look(project, source_id, now)
        # What was looked up for this very request is as fresh as can be.
        old = clock - known.looked >= REMEMBERED_SECONDS
        doubtful = fresh and known.request != now and clock - known.doubted >= AGAIN_SECONDS
        if not (old or doubtful) or self._is_silent():
            return known.source
        known.doubted = clock if fresh else known.doubted
        try:
            return self._look(project, source_id, now)
        except LeanError:
            return known.source

    def taken(self, source: Source, now: int) -> int:
        """How many deliveries of a source this instance took in the minute of ``now``."""
        known = self._known.get(source.id)
        return known.taken if known and known.minute == minute_of(now) else 0

    def standing(self, project: str) -> Standing | None:
        """What is remembered of a project's quotas."""
        return self._standings.get(project)

    def took(self, source: Source, items: int, now: int) -> None:
        """A delivery with so many items was put on the queue."""
        if known := self._known.get(source.id):
            known.taken = self.taken(source, now) + 1
            known.minute = minute_of(now)
        if standing := self._standings.get(source.project):
            self._standings[source.project] = standing.after(items)

    def refused_rate(self, source: Source, now: int) -> None:
        """Count a delivery that came too fast: by one request a second for all of them.

        The source is looked at again with it, so that a changed rate holds at once. What comes in
        the same second is counted with the next request about the source.
        """
        known, clock = self._known.get(source.id), time.monotonic()
        if known is None:
            return
        known.refused += 1
        if clock - self._counted < COUNT_SECONDS or self._is_silent():
            return
        self._counted = clock
        with suppress(LeanError):
            self._look(source.project, source.id, now)

    def refused_quota(self, source: Source, now: int) -> Standing | None:
        """The project's standing as it is now; what has no room by it is counted as refused.

        One request. None when nobody answers, so nothing is known and nothing counted.
        """
        if self._is_silent():
            return None
        try:
            self._look(source.project, source.id, now, refusing=True)
        except LeanError:
            return None
        return self.standing(source.project)

    def note(self, source: Source, what: str, error: str, now: int) -> None:
        """Let whoever set the source up know of an ``error``; '' that a delivery was in order.

        At most one request a minute for each source and ``what``; of errors the first is told.
        """
        key, clock = (source.id, what), time.monotonic()
        if clock - self._noted.get(key, -math.inf) < NOTE_SECONDS or self._is_silent():
            return
        _keep(self._noted, key, clock)
        with suppress(LeanError):
            self._run("source_note", source.project, source.id, now, error[:NOTE_CHARS])

    def _look(
        self, project: str, source_id: str, now: int, *, refusing: bool = False
    ) -> Source | None:
        known, day = self._known.get(source_id), day_of(now)
        counting = known.refused if known else 0
        limits = (DEFAULTS.items_per_day, DEFAULTS.pending_items)
        given = (project, source_id, day, *limits, counting, int(refusing))
        match self._run("receive_look", *given):
            case [str(text), int(items_per_day), int(pending_items), int(items), int(pending)]:
                standing = Standing(day, items, pending, items_per_day, pending_items)
            case _:
                raise LeanError("receive_look: is not answered as it should be")
        clock = time.monotonic()
        if not text:
            # Nothing else is kept: who makes names up must not push out what there is.
            self._known.pop(source_id, None)
            _keep(self._missing, source_id, clock)
            return None
        _keep(self._standings, project, standing)
        source = Source.from_json(text)
        if known is None:
            known = _Known(source, clock, now)
        known.source, known.looked, known.request = source, clock, now
        known.refused -= counting
        _keep(self._known, source_id, known)
        return source

    def _run(self, script: str, *args: str | int) -> Any:
        try:
            self._redis = self._redis or self.connect()
            return self._redis.run(script, *args)
        except LeanError as error:
            if error.status == UNAUTHORISED:
                self._redis = None  # its token was replaced
            else:
                self._silent = time.monotonic()
            raise

    def _is_silent(self) -> bool:
        """Whether nobody answered just now; senders wait for no second time-out."""
        return time.monotonic() - self._silent < AGAIN_SECONDS


def _keep[K, V](remembered: dict[K, V], key: K, value: V) -> None:
    """Remember a value, and forget the one that was remembered first when there are too many."""
    remembered.pop(key, None)
    if len(remembered) >= REMEMBERED:
        del remembered[next(iter(remembered))]
    remembered[key] = value
