"""Projects and their sources in Redis."""

import json
from collections.abc import Sequence
from typing import Any

from soulcaster.edges.redis import Redis, record
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.project import Project
from soulcaster.rules.source import Source


class ProjectStore:
    """Projects, sources, poll cursors and counters; every method is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def put(self, project: Project, *, new: bool, now: int = 0) -> bool:
        """Make (``new``) or change a project; False when it exists already, or does not."""
        done = self._redis.run(
            "project_put", project.id, project.to_json(), "new" if new else "old", now
        )
        return bool(done)

    def all(self) -> list[Project]:
        """Every project, by id; of those that somebody asks for from outside, theirs."""
        return [Project.from_json(text) for text in self._redis.run("projects_read", "")]

    def admit(self, project: str) -> None:
        """Return if who asks may have what they ask for; for what begins outside of Redis."""
        self._redis.run("admitted", project)

    def put_source(self, source: Source) -> bool:
        """Make or change a source; False when there is no such project."""
        polled = "1" if source.enabled and KINDS[source.kind].polled(source.config) else "0"
        return bool(
            self._redis.run("source_put", source.project, source.id, source.to_json(), polled)
        )

    def sources(self, wanted: Sequence[tuple[str, str]]) -> list[Source | None]:
        """The sources named by (project, source id), None for those that are not there."""
        found = self._redis.run("sources_of", json.dumps(wanted))
        return [Source.from_json(text) if text else None for text in found]

    def sources_in(self, project: str) -> list[Source] | None:
        """A project's sources; None when there is no such project."""
        found = self._redis.run("sources_in", project)
        return None if found == "" else [Source.from_json(text) for text in found]

    def polled(self) -> list[tuple[Source, str, Project]]:
        """Every source that is polled, with its cursor ('' at first) and its project."""
        return [
            (Source.from_json(source), cursor, Project.from_json(project))
            for source, cursor, project in self._redis.run("sources_polled")
        ]

    def save_cursors(self, cursors: Sequence[tuple[Source, str]]) -> None:
        """Remember how far sources were polled."""
        rows = [(source.project, source.id, cursor) for source, cursor in cursors]
        self._redis.run("cursors_save", json.dumps(rows))

    def stats(self, project: str) -> dict[str, Any] | None:
        """A project's counters, or None when there is no such project."""
        found = self._redis.run("stats", project)
        if not found:
            return None
        counts = {name: int(value) for name, value in record(found[0]).items()}
        return {
            "stored": counts.get("stored", 0),
            "clustered": counts.get("clustered", 0),
            "pending": int(found[1]),
            "clusters": counts.get("clusters", 0),
            "by_source": _prefixed(counts, "source:"),
            "jobs": _prefixed(counts, "job:"),
        }


def _prefixed(counts: dict[str, int], prefix: str) -> dict[str, int]:
    return {k.removeprefix(prefix): n for k, n in sorted(counts.items()) if k.startswith(prefix)}
