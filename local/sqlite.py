"""The emulators' databases: SQLite files that survive a killed process."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def connect(file: Path, schema: str) -> sqlite3.Connection:
    """Open ``file`` with ``schema`` in place; each statement commits by itself.

    Commits reach the operating system, not the disk: they outlive the process,
    not a power failure.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(file, autocommit=True, check_same_thread=False)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.executescript(schema)
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All of the block's writes, or none."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
