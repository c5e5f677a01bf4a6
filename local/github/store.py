"""What the emulated GitHub knows, in one SQLite file; commits live in bare repositories."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

type Row = sqlite3.Row

# Ids start far from the numbers people see, so that nobody takes one for the other.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS repositories (
  id INTEGER PRIMARY KEY AUTOINCREMENT, full_name TEXT UNIQUE COLLATE NOCASE NOT NULL,
  description TEXT NOT NULL, default_branch TEXT NOT NULL, installed INTEGER NOT NULL,
  created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS issues (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER NOT NULL REFERENCES repositories,
  number INTEGER NOT NULL, title TEXT NOT NULL, body TEXT, author TEXT NOT NULL,
  labels TEXT NOT NULL, state TEXT NOT NULL, state_reason TEXT, created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL, closed_at TEXT, UNIQUE (repository_id, number));
CREATE INDEX IF NOT EXISTS issues_updated ON issues (repository_id, updated_at);
CREATE TABLE IF NOT EXISTS pulls (
  issue_id INTEGER PRIMARY KEY REFERENCES issues, head TEXT NOT NULL, base TEXT NOT NULL,
  draft INTEGER NOT NULL, head_sha TEXT NOT NULL, base_sha TEXT NOT NULL,
  merged_at TEXT, merged_by TEXT, merge_sha TEXT);
CREATE TABLE IF NOT EXISTS comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL REFERENCES issues,
  body TEXT NOT NULL, author TEXT NOT NULL, association TEXT NOT NULL, created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS comments_below ON comments (issue_id);
CREATE TABLE IF NOT EXISTS gone (
  repository_id INTEGER NOT NULL REFERENCES repositories, number INTEGER NOT NULL,
  moved_to INTEGER REFERENCES issues, PRIMARY KEY (repository_id, number));
DROP VIEW IF EXISTS numbered;
CREATE VIEW numbered AS
  SELECT issues.*, issue_id IS NOT NULL AS is_pull, head, base, draft, head_sha, base_sha,
    merged_at, merged_by, merge_sha,
    (SELECT count(*) FROM comments WHERE comments.issue_id = issues.id) AS comments
  FROM issues LEFT JOIN pulls ON issue_id = issues.id;
CREATE TABLE IF NOT EXISTS tokens (
  hash TEXT PRIMARY KEY, permissions TEXT NOT NULL, repositories TEXT NOT NULL,
  expires_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS hooks (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id INTEGER REFERENCES repositories,
  url TEXT NOT NULL, secret TEXT, events TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, hook_id INTEGER NOT NULL REFERENCES hooks,
  guid TEXT NOT NULL, event TEXT NOT NULL, action TEXT, payload TEXT NOT NULL,
  delivered_at TEXT, status TEXT NOT NULL, status_code INTEGER NOT NULL, duration REAL NOT NULL,
  response TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (id) WHERE delivered_at IS NULL;
"""
_FIRST_IDS = {
    "repositories": 7_000_000,
    "issues": 21_000_000,
    "comments": 34_000_000,
    "hooks": 300,
    "deliveries": 900,
}


class Store:
    """One connection for all threads; what is written survives the process."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._lock = threading.RLock()
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;" + _SCHEMA)
        for table, first in _FIRST_IDS.items():
            if not self.one("SELECT 1 FROM sqlite_sequence WHERE name = ?", table):
                self.write("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, first)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside happen or none; other threads wait. May be nested."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def all(self, sql: str, *values: Any) -> list[Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        with self._lock:
            row: Row | None = self._db.execute(sql, values).fetchone()
            return row

    def get(self, sql: str, *values: Any) -> Row:
        """The one row that is known to be there."""
        row = self.one(sql, *values)
        if row is None:
            raise LookupError(sql)
        return row

    def write(self, sql: str, *values: Any) -> int:
        """Run one statement; the id of the row it inserted."""
        with self._lock:
            return self._db.execute(sql, values).lastrowid or 0

    def installed_owners(self) -> list[str]:
        """The accounts whose repositories have the App, in the order of their first one."""
        rows = self.all("SELECT full_name FROM repositories WHERE installed ORDER BY id")
        return list(dict.fromkeys(row["full_name"].split("/")[0] for row in rows))

    def close(self) -> None:
        with self._lock:
            self._db.close()
