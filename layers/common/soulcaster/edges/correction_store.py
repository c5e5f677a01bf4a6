"""People's corrections in Redis."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from soulcaster.edges.redis import Redis, record
from soulcaster.rules import ids
from soulcaster.rules.correction import Conflict, Decision, NotThere
from soulcaster.rules.page import Page, page_from

_FIELDS = (
    *("id", "verb", "into", "out_of", "items", "who", "at", "why"),
    *("undone_at", "undone_by", "undone_why"),
)


@dataclass(frozen=True, slots=True)
class Corrected:
    """The correction as the API shows it; ``made`` is False when it was there before."""

    correction: dict[str, Any]
    made: bool


class CorrectionStore:
    """Makes, undoes and lists corrections; every method is one round trip.

    Safe to run again after a lost reply: nothing is done twice. What was made is found; what was
    undone is a conflict. The first four raise ``NotThere`` and ``Conflict``, and have then written
    nothing.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def merge(
        self, project: str, into: str, clusters: Sequence[str], decided: Decision
    ) -> Corrected:
        """Put ``clusters`` and ``into`` together; all that is left is ``into``."""
        return self._run("correct_merge", project, decided, into, json.dumps(clusters))

    def split(
        self, project: str, cluster: str, items: Sequence[str], decided: Decision
    ) -> Corrected:
        """Take ``items``, no two of them the same, out of ``cluster`` into a new one."""
        return self._run("correct_split", project, decided, cluster, json.dumps(items))

    def move(self, project: str, cluster: str, item: str, to: str, decided: Decision) -> Corrected:
        """Take ``item`` out of ``cluster`` into the cluster ``to``."""
        return self._run("correct_move", project, decided, cluster, item, to)

    def undo(self, correction: str, decided: Decision) -> Corrected:
        """Take a correction back, whatever came after it."""
        project, number = ids.project_of(correction, "cor") or "", correction.rpartition("_")[2]
        return self._run("correct_undo", project, decided, number)

    def _run(self, script: str, project: str, decided: Decision, *args: str) -> Corrected:
        outcome, text, fields = self._redis.run(
            script, project, decided.at, decided.who, decided.why, *args
        )
        if outcome == "missing":
            raise NotThere(text)
        if outcome == "conflict":
            raise Conflict(text)
        return Corrected(correction_view(record(fields)), outcome == "made")

    def page(self, project: str, position: str, limit: int) -> Page[dict[str, Any]] | None:
        """Newest first, after ``position`` ('' for the top); None without such a project."""
        found = self._redis.run("page", project, "cors", "cor:", position, limit, *_FIELDS)
        return page_from(found, lambda r: correction_view(dict(zip(_FIELDS, r, strict=True))))


def correction_view(stored: dict[str, Any]) -> dict[str, Any]:
    """A stored correction as the API shows it."""
    undone = stored.get("undone_at")
    return {
        **{name: stored[name] for name in ("id", "verb", "into", "who", "why")},
        "out_of": json.loads(stored["out_of"]),
        "items": json.loads(stored["items"]),
        "at": int(stored["at"]),
        "undone": {
            "who": stored["undone_by"],
            "at": int(undone),
            "why": stored["undone_why"],
        }
        if undone
        else None,
    }
