"""API keys in Redis: what they may do, and an HMAC of each one's text."""

from collections.abc import Sequence
from typing import Any

from soulcaster.edges.redis import Redis
from soulcaster.rules.access import SCOPES
from soulcaster.rules.correction import Conflict, NotThere
from soulcaster.rules.membership import MAX_KEYS
from soulcaster.rules.page import Page, page_from

_FIELDS = (
    *("id", "name", "scopes", "made_by", "created", "expires", "used", "revoked"),
    "old_until",
)


class Stronger(Exception):  # noqa: N818 - an answer
    """The key that asks would hand out more than it has itself."""


class KeyStore:
    """Makes, rotates, revokes and lists keys; every method is one round trip.

    What writes raises ``NotThere`` ("project" or "key"), ``Conflict`` and ``Stronger``, and has
    then written nothing. Times are in ms.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(
        self,
        project: str,
        identifier: str,
        mac: str,
        *,
        name: str,
        scopes: Sequence[str],
        expires: int | None,
        made_by: str,
        now: int,
    ) -> dict[str, Any]:
        """Make a key that a text with this HMAC opens; it as the API shows it."""
        listed, until = ",".join(scopes), "" if expires is None else str(expires)
        outcome = self._redis.run(
            "key_add", project, identifier, mac, name, listed, until, MAX_KEYS, made_by, now
        )
        _refuse(outcome)
        made = (identifier, name, listed, made_by, str(now), until, None, None, None)
        return _view(made, now)

    def rotate(
        self, project: str, identifier: str, mac: str, old_until: int, now: int
    ) -> dict[str, Any]:
        """Have a new text open the key; the one that does so now does it until ``old_until``."""
        outcome, *fields = self._redis.run(
            "key_rotate", project, identifier, mac, old_until, now, *_FIELDS
        )
        _refuse(outcome, missing="key")
        return _view(fields[0], now)

    def revoke(self, project: str, identifier: str, now: int) -> bool:
        """End a key at once, again too; False when there is no such key."""
        return bool(self._redis.run("key_revoke", project, identifier, now))

    def page(
        self, project: str, position: str, limit: int, now: int
    ) -> Page[dict[str, Any]] | None:
        """Newest first, also those that have ended; None without such a project."""
        found = self._redis.run("page", project, "keys", "key:", position, limit, *_FIELDS)
        return page_from(found, lambda fields: _view(fields, now))


def _refuse(outcome: str, missing: str = "project") -> None:
    if outcome == "missing":
        raise NotThere(missing)
    if outcome == "stronger":
        raise Stronger
    conflicts = {
        "full": f"the project has {MAX_KEYS} live keys, which is the limit; revoke one first",
        "taken": "the key's id was taken in this moment; try again",
        "ended": "the key is revoked or has expired; make another one",
    }
    if outcome in conflicts:
        raise Conflict(conflicts[outcome])


def _view(fields: Sequence[str | None], now: int) -> dict[str, Any]:
    stored = dict(zip(_FIELDS, fields, strict=True))
    scopes, rotating = (stored["scopes"] or "").split(","), _time(stored["old_until"])
    return {
        **{name: stored[name] or "" for name in ("id", "name", "made_by")},
        "scopes": [scope for scope in SCOPES if scope in scopes],
        "created_at": _time(stored["created"]) or 0,
        "expires_at": _time(stored["expires"]),
        "last_used": _time(stored["used"]),
        "revoked_at": _time(stored["revoked"]),
        "rotating_until": rotating if rotating and rotating > now else None,
    }


def _time(stored: str | None) -> int | None:
    return int(stored) if stored else None
