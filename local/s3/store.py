"""Buckets and objects: the index in SQLite, each object's bytes in a file of its own.

A file's name is random, so no key can name a place in the file system. A PUT writes the
file first and then the index row, so a reader sees the old object or the new one, whole.
"""

import json
import sqlite3
import uuid
from dataclasses import dataclass
from pathlib import Path

from local.sqlite import connect

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, modified INTEGER NOT NULL, headers TEXT NOT NULL,
    PRIMARY KEY (bucket, key)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Object:
    """An object without its bytes; ``modified`` is in unix seconds."""

    key: str
    file: str
    size: int
    etag: str
    modified: int
    headers: dict[str, str]


class Store:
    """The folder of one emulator; one process, one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / "objects"
        self._files.mkdir(parents=True, exist_ok=True)
        self._database = connect(folder / "s3.sqlite3", _SCHEMA)

    def create(self, bucket: str) -> None:
        self._database.execute("INSERT OR IGNORE INTO buckets VALUES (?)", (bucket,))

    def exists(self, bucket: str) -> bool:
        found = self._database.execute("SELECT 1 FROM buckets WHERE name = ?", (bucket,))
        return found.fetchone() is not None

    def put(
        self, bucket: str, key: str, data: bytes, etag: str, headers: dict[str, str], now: int
    ) -> None:
        """Store an object in the place of an earlier one with its key."""
        old = self.find(bucket, key)
        file = uuid.uuid4().hex
        (self._files / file).write_bytes(data)
        self._database.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)",
            (bucket, key, file, len(data), etag, now, json.dumps(headers)),
        )
        if old:
            (self._files / old.file).unlink()

    def find(self, bucket: str, key: str) -> Object | None:
        row = self._database.execute(
            "SELECT * FROM objects WHERE bucket = ? AND key = ?", (bucket, key)
        ).fetchone()
        return _object(row) if row else None

    def read(self, found: Object) -> bytes:
        return (self._files / found.file).read_bytes()

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object; one that is not there is no error."""
        found = self.find(bucket, key)
        if found:
            self._database.execute(
                "DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key)
            )
            (self._files / found.file).unlink()

    def list(self, bucket: str, prefix: str, after: str, limit: int) -> list[Object]:
        """At most ``limit`` objects whose key starts with ``prefix`` and comes after ``after``."""
        rows = self._database.execute(
            "SELECT * FROM objects WHERE bucket = ? AND key >= ? AND key > ? ORDER BY key",
            (bucket, prefix, after),
        )
        found: list[Object] = []
        for row in rows:
            if len(found) == limit or not row["key"].startswith(prefix):
                break
            found.append(_object(row))
        rows.close()
        return found


def _object(row: sqlite3.Row) -> Object:
    return Object(
        key=row["key"],
        file=row["file"],
        size=row["size"],
        etag=row["etag"],
        modified=row["modified"],
        headers=json.loads(row["headers"]),
    )
