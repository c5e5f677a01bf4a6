"""Projects in Redis."""

from dataclasses import dataclass
from typing import Any

from soulcaster.edges.redis import Redis, record
from soulcaster.rules.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """New items of a day, deliveries refused on it, items that wait now, and the limits of both."""

    day: str
    items: int
    refused: int
    items_per_day: int
    pending: int
    pending_items: int


class ProjectStore:
    """Projects and their counters; every method is one round trip."""

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

    def read(self, project: str) -> Project | None:
        """A project, or None."""
        found = self._redis.run("project_read", project)
        return Project.from_json(found) if found else None

    def intake(self, project: str, day: str) -> Intake | None:
        """What a project has taken in on a UTC day (YYYY-MM-DD), or None when there is none."""
        found = self._redis.run("intake_read", project, day)
        if not found:
            return None
        text, items, refused, pending = found
        limits = Project.from_json(text)
        return Intake(
            day=day,
            items=int(items),
            refused=int(refused),
            items_per_day=limits.items_per_day,
            pending=int(pending),
            pending_items=limits.pending_items,
        )

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
