"""Projects' sources in Redis."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from soulcaster.edges.redis import Redis
from soulcaster.rules import built_in
from soulcaster.rules.day import day_of
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.project import Project
from soulcaster.rules.quota import Standing
from soulcaster.rules.source import Source

MOST_SOURCES = 100  # of a project: its list has no pages
ERROR_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What came of a source; times are ms since 1970 in UTC."""

    deliveries: int = 0
    items: int = 0
    refused: int = 0
    last_delivery: int | None = None
    last_error: str | None = None
    last_error_at: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A source as it was read; ``stored`` is its text, '' for a built-in one nobody changed."""

    source: Source
    stored: str
    health: Health


class Polled(NamedTuple):
    """A source to poll: how far it was read ('' at first), its project, what that has used up.

    ``troubled_at``: when something was last wrong with it (ms), 0 for never.
    """

    source: Source
    cursor: str
    project: Project
    standing: Standing
    troubled_at: int = 0


class SourceStore:
    """Sources, their health and poll cursors; every method is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def make(
        self, source: Source, now: int = 0, noted: Mapping[str, Any] | None = None
    ) -> Literal["made", "nowhere", "taken", "full"]:
        """Make a source; ``noted`` is what the log of changes says of it.

        "nowhere": there is no such project. "full": it has ``MOST_SOURCES``.
        """
        outcome: Literal["made", "nowhere", "taken", "full"] = self._redis.run(
            "source_make",
            *(source.project, source.id, source.to_json(), _polled(source), MOST_SOURCES, now),
            json.dumps(noted or {}),
        )
        return outcome

    def change(
        self,
        found: Found,
        wanted: Source | None,
        now: int = 0,
        what: str = "changed source",
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> bool:
        """Put ``wanted`` in place of what was ``found``; None removes it and its health.

        False when somebody has changed it meanwhile: then nothing is done.
        """
        source = found.source
        return bool(
            self._redis.run(
                "source_change",
                *(source.project, source.id, found.stored, wanted.to_json() if wanted else ""),
                *(_polled(wanted) if wanted else "0", now, what),
                *(json.dumps(before), json.dumps(after)),
            )
        )

    def read(self, project: str, identifier: str) -> Found | None:
        """A source; None when there is none, or no such project."""
        known = built_in.sources(project)
        there = "1" if identifier in known else "0"
        found = self._redis.run("source_read", project, identifier, there)
        return _found(found, known) if found else None

    def sources_in(self, project: str) -> list[Found] | None:
        """A project's sources by id, built-in ones too; None when there is no such project."""
        known = built_in.sources(project)
        found = self._redis.run("sources_in", project, *known)
        return None if found == "" else [_found(values, known) for values in found]

    def sources(self, wanted: Sequence[tuple[str, str]]) -> list[Source | None]:
        """The sources named by (project, source id), None for those that are not stored."""
        found = self._redis.run("sources_of", json.dumps(wanted))
        return [Source.from_json(text) if text else None for text in found]

    def polled(self, now: int) -> list[Polled]:
        """Every source that is polled; none that is switched off."""
        day = day_of(now)
        polled = []
        for source, cursor, text, items, pending, troubled in self._redis.run(
            "sources_polled", day
        ):
            project = Project.from_json(text)
            limits = (project.items_per_day, project.pending_items)
            standing = Standing(day, int(items), int(pending), *limits)
            polled.append(
                Polled(Source.from_json(source), cursor, project, standing, int(troubled))
            )
        return polled

    def save_cursors(self, cursors: Sequence[tuple[Source, str]]) -> None:
        """Remember how far sources were polled, and that what last was wrong with them is over."""
        rows = [(source.project, source.id, cursor) for source, cursor in cursors]
        self._redis.run("cursors_save", json.dumps(rows))

    def polled_note(self, source: Source, now: int, error: str) -> None:
        """Note why a source, or a part of it, could not be polled."""
        self._redis.run("source_note", source.project, source.id, now, error[:ERROR_CHARS])


def _polled(source: Source) -> str:
    return "1" if source.enabled and KINDS[source.kind].polled(source.config) else "0"


def _found(values: Sequence[Any], known: Mapping[str, Source]) -> Found:
    identifier, stored, deliveries, items, refused, last_delivery, error, error_at = values
    health = Health(
        deliveries=int(deliveries or 0),
        items=int(items or 0),
        refused=int(refused or 0),
        last_delivery=int(last_delivery) if last_delivery else None,
        last_error=error or None,
        last_error_at=int(error_at) if error_at else None,
    )
    return Found(Source.from_json(stored) if stored else known[identifier], stored, health)
