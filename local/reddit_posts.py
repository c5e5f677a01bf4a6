"""What people posted on the local Reddit: a SQLite file, and the shapes its API gives it."""

import hashlib
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from local import sqlite

SCHEMA = """
CREATE TABLE IF NOT EXISTS submissions (
    id TEXT PRIMARY KEY, subreddit TEXT NOT NULL COLLATE NOCASE, title TEXT NOT NULL,
    selftext TEXT NOT NULL, author TEXT NOT NULL, created_utc REAL NOT NULL,
    permalink TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS newest ON submissions (subreddit, created_utc, id);
CREATE TABLE IF NOT EXISTS comments (
    id TEXT PRIMARY KEY, submission TEXT NOT NULL REFERENCES submissions, body TEXT NOT NULL,
    author TEXT NOT NULL, created_utc REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS below ON comments (submission, created_utc);
CREATE VIEW IF NOT EXISTS answers AS
  SELECT comments.*, subreddit, title AS link_title, submissions.author AS link_author, permalink
  FROM comments JOIN submissions ON submission = submissions.id;
"""
SUBMISSION = {"subreddit": str, "title": str, "selftext": str, "author": str, "created_utc": float}
COMMENT = {"submission": str, "body": str, "author": str, "created_utc": float}
ID = re.compile(r"[a-z0-9]{1,10}")

type Json = dict[str, Any]
type Table = Literal["submissions", "answers"]


class InvalidPostError(ValueError):
    """What was posted does not fit; the message names the field at fault."""


class Posts:
    """All submissions and comments. Nothing is ever edited or deleted."""

    def __init__(self, state: Path) -> None:
        """Keep them in the folder ``state``."""
        self._database = sqlite.connect(state / "reddit.sqlite", SCHEMA)

    def submit(self, given: Mapping[str, Any]) -> tuple[Json, bool]:
        """Put a submission, and say whether it is new; its id is made from it unless given.

        One whose id is known stays as it is. Raises ``InvalidPostError``.
        """
        fields = _checked(given, SUBMISSION, optional={"permalink"})
        if not re.fullmatch(r"[A-Za-z0-9_]{2,21}", fields["subreddit"]):
            raise InvalidPostError("subreddit: not a subreddit's name")
        slug = re.sub(r"[^a-z0-9]+", "_", fields["title"].lower()).strip("_")[:50] or "_"
        permalink = given.get("permalink")
        if permalink is None:
            permalink = f"/r/{fields['subreddit']}/comments/{fields['id']}/{slug}/"
        if not isinstance(permalink, str) or not permalink.startswith("/r/"):
            raise InvalidPostError("permalink: must be a path below /r/")
        new = self._insert("submissions", {**fields, "permalink": permalink})
        return self._one("submissions", fields["id"]), new

    def comment(self, given: Mapping[str, Any]) -> tuple[Json, bool]:
        """Put a comment on a submission, as ``submit`` does."""
        fields = _checked(given, COMMENT, optional=set())
        try:
            new = self._insert("comments", fields)
        except sqlite3.IntegrityError as error:
            raise InvalidPostError("submission: unknown") from error
        return self._one("comments", fields["id"]), new

    def page(
        self,
        table: Table,
        subreddit: str,
        limit: int,
        *,
        since: float = 0,
        after: str | None = None,
        before: str | None = None,
    ) -> tuple[list[Json], str | None, str | None]:
        """Up to ``limit`` submissions or comments, newest first, and the anchors around them.

        ``after`` asks for older ones than that id, ``before`` for newer ones; an unknown id has
        none around it. None is older than ``since``.
        """
        anchor = after or before
        there, order = ("<", "DESC") if not before else (">", "ASC")
        where, values = "subreddit = ? AND created_utc >= ?", list[Any]((subreddit, since))
        if anchor:
            where += f" AND (created_utc, id) {there} (SELECT created_utc, id FROM {table}"
            where += " WHERE id = ?)"
            values.append(anchor)
        rows = [
            dict(row)
            for row in self._database.execute(
                f"SELECT * FROM {table} WHERE {where}"
                f" ORDER BY created_utc {order}, id {order} LIMIT {limit + 1}",
                values,
            )
        ]
        more, rows = len(rows) > limit, rows[:limit]
        if before:
            rows.reverse()
        if not rows:
            return [], None, None
        older = rows[-1]["id"] if more or before else None
        newer = rows[0]["id"] if (more if before else after) else None
        return rows, older, newer

    def find(self, ids: list[str]) -> list[Json]:
        """The submissions of these ids that exist, in the order asked."""
        marks = ", ".join("?" * len(ids))
        rows = self._database.execute(f"SELECT * FROM submissions WHERE id IN ({marks})", ids)
        found = {row["id"]: dict(row) for row in rows}
        return [found[one] for one in ids if one in found]

    def at(self, permalink: str) -> Json | None:
        """The submission shown on the page ``permalink``."""
        row = self._database.execute(
            "SELECT * FROM submissions WHERE rtrim(permalink, '/') = ?", [permalink.rstrip("/")]
        ).fetchone()
        return dict(row) if row else None

    def comments(self, submission: str) -> list[Json]:
        """What was answered to the submission, oldest first."""
        return [
            dict(row)
            for row in self._database.execute(
                "SELECT * FROM answers WHERE submission = ? ORDER BY created_utc, id", [submission]
            )
        ]

    def _insert(self, table: str, fields: Json) -> bool:
        names, marks = ", ".join(fields), ", ".join("?" * len(fields))
        done = self._database.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING",
            list(fields.values()),
        )
        return done.rowcount == 1

    def _one(self, table: str, identifier: str) -> Json:
        return dict(
            self._database.execute(f"SELECT * FROM {table} WHERE id = ?", [identifier]).fetchone()
        )


def _checked(given: Mapping[str, Any], wanted: Mapping[str, type], optional: set[str]) -> Json:
    """``given`` with an id, every wanted field of its type, and no other."""
    unknown = sorted(given.keys() - wanted.keys() - optional - {"id"})
    if unknown:
        raise InvalidPostError(f"{unknown[0]}: not emulated")
    fields: Json = {}
    for name, kind in wanted.items():
        value = given.get(name)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind):
            raise InvalidPostError(f"{name}: must be of type {kind.__name__}")
        fields[name] = value
    fields["id"] = given.get("id", hashlib.sha256(repr(fields).encode()).hexdigest()[:10])
    if not isinstance(fields["id"], str) or not ID.fullmatch(fields["id"]):
        raise InvalidPostError("id: must be 1 to 10 small letters and digits")
    return fields
