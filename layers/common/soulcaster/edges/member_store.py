"""Who belongs to a project, and who is invited to, in Redis."""

import json
from collections.abc import Sequence
from typing import Any

from soulcaster.edges.redis import Redis
from soulcaster.rules.access import Caller, Role
from soulcaster.rules.correction import Conflict, NotThere
from soulcaster.rules.membership import INVITED_MS, MAX_PENDING

_INVITATION = ("id", "role", "login", "made_by", "created", "expires")


class MemberStore:
    """Changes and lists members and invitations; every method is one round trip.

    What writes raises ``NotThere`` and ``Conflict``, and has then written nothing. Times in ms.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def all(self, project: str) -> list[dict[str, Any]] | None:
        """Everybody, by name: {id, name, role, since}; None without such a project."""
        found = self._redis.run("member_list", project)
        if not found:
            return None
        members = []
        for person, role, text in found[0]:
            shown = json.loads(text)
            since = int(shown.get("since", 0))
            name = shown.get("name", person)
            members.append({"id": person, "name": name, "role": role, "since": since})
        return sorted(members, key=lambda one: (one["name"].lower(), one["id"]))

    def give_role(self, project: str, person: str, role: Role, now: int) -> None:
        """Say what a member may do; to say it again changes nothing."""
        _refuse(self._redis.run("member_role", project, person, role, now))

    def remove(self, project: str, person: str, now: int) -> None:
        """Take a member out of the project."""
        _refuse(self._redis.run("member_drop", project, person, now))

    def invite(
        self, project: str, identifier: str, mac: str, role: Role, login: str, who: Caller
    ) -> dict[str, Any]:
        """Invite whoever has the text with this HMAC, or only ``login`` ('' for anybody)."""
        now, expires = who.now, who.now + INVITED_MS
        outcome = self._redis.run(
            "invitation_add",
            *(project, identifier, mac, role, login, expires, MAX_PENDING, who.name, now),
        )
        _refuse(outcome, missing="project")
        return _invitation((identifier, role, login, who.name, str(now), str(expires)))

    def invitations(self, project: str, now: int) -> list[dict[str, Any]] | None:
        """Those that are pending, newest first; None without such a project."""
        found = self._redis.run("invitation_list", project, now, *_INVITATION)
        return [_invitation(fields) for fields in found[0]] if found else None

    def take_back(self, project: str, identifier: str, now: int) -> bool:
        """Void a pending invitation; False when there is no such one."""
        return bool(self._redis.run("invitation_drop", project, identifier, now))

    def accept(self, project: str, identifier: str, mac: str, who: Caller) -> dict[str, Any] | None:
        """Make ``who`` a member: {id, name, role} of the project; None without such a text."""
        found = self._redis.run(
            "invitation_accept", project, identifier, mac, who.id, who.name, who.now
        )
        if not found:
            return None
        return {"id": project, "name": json.loads(found[0])["name"], "role": found[1]}


def _refuse(outcome: str, missing: str = "member") -> None:
    if outcome == "missing":
        raise NotThere(missing)
    conflicts = {
        "last_owner": "nobody else is an owner of the project; make somebody one first",
        "full": f"{MAX_PENDING} invitations are pending, which is the limit; take one back first",
        "taken": "the invitation's id was taken in this moment; try again",
    }
    if outcome in conflicts:
        raise Conflict(conflicts[outcome])


def _invitation(fields: Sequence[str]) -> dict[str, Any]:
    stored = dict(zip(_INVITATION, fields, strict=True))
    return {
        **{name: stored[name] for name in ("id", "role", "made_by")},
        "login": stored["login"] or None,
        "created_at": int(stored["created"]),
        "expires_at": int(stored["expires"]),
    }
