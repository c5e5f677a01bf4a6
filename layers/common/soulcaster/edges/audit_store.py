"""The log of what people and keys changed, in Redis; lua/lib/audit.lua writes it."""

import json
from typing import Any

from soulcaster.edges.redis import Redis
from soulcaster.rules.page import Page, encode_cursor

_FIELDS = ("id", "at", "by", "who", "name", "what", "on", "before", "after")


class AuditStore:
    """Lists changes, newest first; every method is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def page(self, project: str, position: str, limit: int) -> Page[dict[str, Any]] | None:
        """A project's, after ``position`` ('' for the top); None without such a project."""
        return _page(self._redis.run("page", project, "audit", "aud:", position, limit, *_FIELDS))

    def installation(self, position: str, limit: int) -> Page[dict[str, Any]] | None:
        """The installation's own, which are about its owners."""
        return _page(self._redis.run("audit_installation", "", position, limit, *_FIELDS))


def _page(found: Any) -> Page[dict[str, Any]] | None:
    if not found:
        return None
    records, after, total = found
    items = [_view(dict(zip(_FIELDS, fields, strict=True))) for fields in records]
    return Page(items, encode_cursor(after) if after else None, int(total))


def _view(stored: dict[str, Any]) -> dict[str, Any]:
    return {
        **stored,
        "id": int(stored["id"]),
        "at": int(stored["at"]),
        "before": json.loads(stored["before"]),
        "after": json.loads(stored["after"]),
    }
