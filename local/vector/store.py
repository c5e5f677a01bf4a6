"""The vectors of the emulated index on disk: what is read by id or by page, and what survives."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float32]

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS namespace (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS vector (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace TEXT NOT NULL,
    id TEXT NOT NULL,
    vector BLOB NOT NULL,
    metadata TEXT,
    data TEXT,
    UNIQUE (namespace, id)
);
INSERT OR IGNORE INTO namespace VALUES ('');
"""
COLUMNS = "id, vector, metadata, data"


@dataclass(frozen=True, slots=True)
class Record:
    """One vector with what its owner attached to it."""

    id: str
    vector: Floats
    metadata: dict[str, Any] | None = None
    data: str | None = None


class Store:
    """Everything upserted, in namespaces; each call is one transaction.

    Committed writes survive the death of the process.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # The application is made in one thread and served by another, never by both at once.
        self._db = sqlite3.connect(folder / "vectors.sqlite", check_same_thread=False)
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def put(self, namespace: str, records: Iterable[Record]) -> None:
        """Insert the records, or replace those of the same id."""
        rows = [
            (
                namespace,
                record.id,
                record.vector.tobytes(),
                None if record.metadata is None else json.dumps(record.metadata),
                record.data,
            )
            for record in records
        ]
        with self._db:
            self._db.executemany(
                f"INSERT INTO vector (namespace, {COLUMNS}) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (namespace, id) DO UPDATE SET vector = excluded.vector,"
                " metadata = excluded.metadata, data = excluded.data",
                rows,
            )

    def get(self, namespace: str, identity: str) -> Record | None:
        row = self._db.execute(
            f"SELECT {COLUMNS} FROM vector WHERE namespace = ? AND id = ?", (namespace, identity)
        ).fetchone()
        return _record(*row) if row else None

    def page(
        self, namespace: str, first: int = 0, limit: int = -1, prefix: str = ""
    ) -> list[tuple[int, Record]]:
        """Up to ``limit`` records (all: -1) with their positions, from position ``first`` on."""
        rows = self._db.execute(
            f"SELECT position, {COLUMNS} FROM vector WHERE namespace = ? AND position >= ?"
            " AND substr(id, 1, ?) = ? ORDER BY position LIMIT ?",
            (namespace, first, len(prefix), prefix, limit),
        )
        return [(position, _record(*columns)) for position, *columns in rows]

    def delete(self, namespace: str, ids: Iterable[str]) -> int:
        """How many of ``ids`` were there; none is now."""
        with self._db:
            return self._db.executemany(
                "DELETE FROM vector WHERE namespace = ? AND id = ?",
                [(namespace, identity) for identity in ids],
            ).rowcount

    def namespaces(self) -> list[str]:
        return [name for (name,) in self._db.execute("SELECT name FROM namespace ORDER BY name")]

    def add_namespace(self, name: str) -> None:
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO namespace VALUES (?)", (name,))

    def clear(self, namespace: str) -> None:
        with self._db:
            self._db.execute("DELETE FROM vector WHERE namespace = ?", (namespace,))

    def delete_namespace(self, name: str) -> None:
        with self._db:
            self._db.execute("DELETE FROM vector WHERE namespace = ?", (name,))
            self._db.execute("DELETE FROM namespace WHERE name = ?", (name,))


def _record(identity: str, vector: bytes, metadata: str | None, data: str | None) -> Record:
    return Record(
        identity,
        np.frombuffer(vector, dtype=np.float32),
        None if metadata is None else json.loads(metadata),
        data,
    )
