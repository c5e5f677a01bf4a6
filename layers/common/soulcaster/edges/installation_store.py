"""Who the installation belongs to, and what somebody is in it, in Redis."""

import json
from typing import Any

from soulcaster.edges.redis import Redis, record
from soulcaster.rules.access import SCOPES, Caller
from soulcaster.rules.correction import Conflict, NotThere


class InstallationStore:
    """Owners of the installation; every method is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def offer(self, mac: str, expires: int, now: int) -> list[str]:
        """Have whoever comes with the text of this HMAC become an owner, once, until ``expires``.

        The text before it counts no more. Returns the names of the owners that there are.
        """
        found = self._redis.run("owner_offer", mac, expires, now)
        return sorted(json.loads(text)["name"] for text in found)

    def claim(self, mac: str, who: Caller) -> bool:
        """Make ``who`` an owner; False when the text is not the one that was offered."""
        return bool(self._redis.run("owner_claim", "", mac, who.id, who.name, who.now))

    def owners(self) -> list[dict[str, Any]]:
        """Those there are, by when they became it: id, name, since (ms)."""
        found = record(self._redis.run("owner_list", ""))
        shown = [{"id": person, **json.loads(text)} for person, text in found.items()]
        return sorted(shown, key=lambda owner: (owner["since"], owner["id"]))

    def remove(self, person: str, now: int) -> None:
        """Have a person be an owner no more. Raises ``NotThere``, and ``Conflict`` for the last."""
        outcome = self._redis.run("owner_drop", "", person, now)
        if outcome == "missing":
            raise NotThere("owner")
        if outcome == "last":
            raise Conflict("owner: is the installation's last; make somebody else one first")

    def me(self, who: Caller) -> dict[str, Any]:
        """What ``who`` is here, as the API shows it."""
        claimed, owner, projects, scopes, expires = self._redis.run("me", "")
        mine = [
            {"id": project["id"], "name": project["name"], "role": role or None}
            for project, role in ((json.loads(text), role) for text, role in projects)
        ]
        is_key = who.by == "key"
        return {
            "by": who.by,
            "id": who.id,
            "name": who.name,
            "owner": bool(owner),
            "claimed": bool(claimed),
            "projects": mine,
            "project": who.project if is_key else None,
            "scopes": [s for s in SCOPES if s in scopes.split(",")] if is_key else None,
            "expires_at": int(expires) if expires else None,
        }
