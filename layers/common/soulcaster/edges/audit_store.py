"""The log of what people and keys changed, in Redis; lua/lib/audit.lua writes it."""

import json
from collections.abc import Sequence
from typing import Any

from soulcaster.edges.redis import Redis
from soulcaster.rules.page import Page, page_from

_FIELDS = ("id", "at", "by", "who", "name", "what", "on", "before", "after")


class AuditStore:
    """Lists changes, newest first; every method is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def page(self, project: str, position: str, limit: int) -> Page[dict[str, Any]] | None:
        """A project's, after ``position`` ('' for the top); None without such a project."""
        found = self._redis.run("page", project, "audit", "aud:", position, limit, *_FIELDS)
        return page_from(found, _view)

    def installation(self, position: str, limit: int) -> Page[dict[str, Any]] | None:
        """The installation's own, which are about its owners."""
        return page_from(
            self._redis.run("audit_installation", "", position, limit, *_FIELDS), _view
        )


def _view(values: Sequence[str]) -> dict[str, Any]:
    stored = dict(zip(_FIELDS, values, strict=True))
    return {
        **stored,
        "id": int(stored["id"]),
        "at": int(stored["at"]),
        "before": json.loads(stored["before"]),
        "after": json.loads(stored["after"]),
    }
