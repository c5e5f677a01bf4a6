"""Imports in Redis."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from soulcaster.edges.redis import Redis
from soulcaster.rules import built_in, ids
from soulcaster.rules.day import day_of
from soulcaster.rules.imports import MAX_REFUSED
from soulcaster.rules.page import Page, encode_cursor, page_from
from soulcaster.rules.project import DEFAULTS
from soulcaster.rules.rows import Format
from soulcaster.rules.source import Source

FIELDS = (
    *("id", "format", "name", "state", "reason", "rows", "stored", "new", "refused"),
    *("bytes", "by", "created", "updated"),
)


class Started(NamedTuple):
    """What became of asking to start: with its ``turn`` a message has the import go on."""

    outcome: Literal["missing", "off", "ended", "started"]
    state: str
    turn: int


@dataclass(frozen=True, slots=True)
class Opened:
    """An import that is to go on after ``rows`` of its file; ``etag`` is '' before the first look.

    ``source`` is what its rows come by.
    """

    id: str
    project: str
    form: Format
    created: int
    rows: int
    etag: str
    source: Source


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not stored, by the line where it begins; ``text`` is how it begins."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """So many rows after the first ``start`` were stored, but for those that are ``refused``."""

    start: int
    rows: int
    refused: Sequence[Refused]


class Step(NamedTuple):
    """What comes next: ``go`` on with ``rows`` of those asked for, without the ``deleted`` ones.

    ``over``: somebody has ended it, or is further on. ``paused``: ``quota`` is used up.
    """

    outcome: Literal["go", "done", "paused", "over"]
    rows: int = 0
    quota: Literal["", "day", "pending"] = ""
    deleted: frozenset[str] = frozenset()


class ImportStore:
    """Keeps how far imports are; every method is one round trip, and safe to repeat."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, identifier: str, form: Format, name: str, by: str, now: int) -> bool:
        """Make an import that waits for its file; False when there is no such project."""
        return bool(self._run("import_add", identifier, form, name, by, now))

    def start(self, identifier: str, now: int) -> Started:
        """Let an import begin; one that has begun is left as it is."""
        return Started(*self._run("import_start", identifier, now, _source_of(identifier).id))

    def cancel(self, identifier: str, now: int) -> str:
        """End an import early; returns the state that it was in, '' when there is none."""
        return str(self._run("import_cancel", identifier, now))

    def read(self, identifier: str) -> dict[str, Any] | None:
        """One import, or None."""
        found = self._run("import_read", identifier, *FIELDS)
        return _view(found) if found else None

    def page(self, project: str, position: str, limit: int) -> Page[dict[str, Any]] | None:
        """Newest first, after ``position`` ('' for the top); None without such a project."""
        found = self._redis.run("page", project, "imps", "imp:", position, limit, *FIELDS)
        return page_from(found, _view)

    def refused(self, identifier: str, after: int, limit: int) -> Page[dict[str, Any]] | None:
        """Rows that were not stored, in the file's order, after so many; None for no import."""
        found = self._run("import_refused", identifier, after, limit)
        if not found:
            return None
        rows, total = found
        end = after + len(rows)
        cursor = encode_cursor(f"{end}:rows") if end < total else None
        return Page([json.loads(row) for row in rows], cursor, total)

    def open(self, identifier: str, turn: int) -> Opened | None:
        """What a message of that turn is to go on with; None when there is nothing to do."""
        project, known = _project(identifier), _source_of(identifier)
        found = self._run("import_open", identifier, turn, known.id)
        if not found:
            return None
        form, created, rows, etag, stored = found
        source = Source.from_json(stored) if stored else known
        return Opened(identifier, project, form, int(created), rows, etag, source)

    def step(
        self,
        identifier: str,
        done: Done | None,
        coming: Sequence[str],
        *,
        size: int,
        etag: str,
        now: int,
    ) -> Step:
        """Account for what is ``done`` and let in what is ``coming``.

        That is the feedback id of each row, '' for a refused one; none at the end of the file.
        ``size`` is the file's, in bytes.
        """
        outcome, count, deleted = self._run(
            "import_step",
            *(identifier, now, size, etag, _done(done), json.dumps(coming), day_of(now)),
            *(DEFAULTS.items_per_day, DEFAULTS.pending_items, MAX_REFUSED),
        )
        if outcome == "paused":
            return Step("paused", quota=count)
        return Step(outcome, count, deleted=frozenset(deleted))

    def fail(self, identifier: str, reason: str, now: int) -> None:
        """End a live import whose file can't be read."""
        self._run("import_fail", identifier, reason, now)

    def _run(self, script: str, identifier: str, *args: str | int) -> Any:
        return self._redis.run(script, _project(identifier), identifier, *args)


def _project(identifier: str) -> str:
    return ids.project_of(identifier, "imp") or ""


def _source_of(identifier: str) -> Source:
    return built_in.source(_project(identifier), "file")


def _done(done: Done | None) -> str:
    if done is None:
        return ""
    refused = [asdict(row) for row in done.refused]
    return json.dumps({"from": done.start, "rows": done.rows, "refused": refused})


def _view(values: Sequence[Any]) -> dict[str, Any]:
    """A stored import as the API shows it, from the values of ``FIELDS``."""
    found = dict(zip(FIELDS, values, strict=True))
    counted = {name: int(found[name] or 0) for name in ("rows", "stored", "new", "refused")}
    return {
        "id": found["id"],
        "project": _project(found["id"]),
        **{name: found[name] for name in ("format", "name", "state", "reason", "by")},
        **counted,
        "bytes": int(found["bytes"]) if found["bytes"] else None,
        "created_at": int(found["created"]),
        "updated_at": int(found["updated"]),
    }
