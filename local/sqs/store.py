"""Queues and messages in SQLite. A message is visible from ``visible_at`` on.

Every time is in unix milliseconds. A receive walks the index on (queue, visible_at),
so it costs the logarithm of the backlog.
"""

import json
import sqlite3
import uuid
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from local.sqlite import connect, transaction
from local.sqs.message import Letter, Receipt, Received, new_receipt
from local.sqs.queue import Queue

_SCHEMA = """
CREATE TABLE IF NOT EXISTS queues (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, attributes TEXT NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue INTEGER NOT NULL, message_id TEXT NOT NULL,
    sent INTEGER NOT NULL, visible_at INTEGER NOT NULL, received INTEGER NOT NULL DEFAULT 0,
    first_received INTEGER, nonce TEXT, source TEXT, attributes TEXT NOT NULL,
    body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_visibility ON messages (queue, visible_at);
CREATE INDEX IF NOT EXISTS by_age ON messages (queue, sent);
CREATE TABLE IF NOT EXISTS moves (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, destination TEXT, moved INTEGER NOT NULL,
    started INTEGER NOT NULL);
"""


class Store:
    """The database file of one emulator; one process, one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._database = connect(folder / "sqs.sqlite3", _SCHEMA)

    def transaction(self) -> AbstractContextManager[None]:
        return transaction(self._database)

    # Queues

    def create(self, name: str, attributes: dict[str, str], now: int) -> None:
        self._database.execute(
            "INSERT INTO queues (name, attributes, created, modified) VALUES (?, ?, ?, ?)",
            (name, json.dumps(attributes), now // 1000, now // 1000),
        )

    def change(self, queue: Queue, attributes: dict[str, str], now: int) -> None:
        """Set ``attributes``; an empty value removes one."""
        kept = {name: value for name, value in (queue.attributes | attributes).items() if value}
        self._database.execute(
            "UPDATE queues SET attributes = ?, modified = ? WHERE id = ?",
            (json.dumps(kept), now // 1000, queue.id),
        )

    def find(self, name: str) -> Queue | None:
        row = self._database.execute("SELECT * FROM queues WHERE name = ?", (name,)).fetchone()
        return _queue(row) if row else None

    def queues(self, prefix: str = "") -> list[Queue]:
        rows = self._database.execute("SELECT * FROM queues ORDER BY name")
        return [_queue(row) for row in rows if row["name"].startswith(prefix)]

    # Messages

    def add(self, queue: Queue, letter: Letter, now: int, delay: int) -> str:
        """Store a message that shows after ``delay`` milliseconds; returns its id."""
        message_id = str(uuid.uuid4())
        self._database.execute(
            "INSERT INTO messages (queue, message_id, sent, visible_at, attributes, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (queue.id, message_id, now, now + delay, json.dumps(letter.attributes), letter.body),
        )
        return message_id

    def expire(self, queue: Queue, now: int) -> None:
        """Drop what is older than the queue keeps messages."""
        before = now - queue.setting("MessageRetentionPeriod") * 1000
        self._database.execute(
            "DELETE FROM messages WHERE queue = ? AND sent < ?", (queue.id, before)
        )

    def take(
        self, queue: Queue, dead: Queue | None, source: str, limit: int, until: int, now: int
    ) -> tuple[list[Received], int]:
        """Receive at most ``limit`` visible messages and hide them up to ``until``.

        Those received as often as the redrive policy allows go to ``dead`` instead,
        whole, with their age and count, marked as coming from the ARN ``source``.
        Returns the received ones and how many went to ``dead``.
        """
        most = queue.redrive.limit if queue.redrive and dead else None
        taken: list[sqlite3.Row] = []
        exhausted: list[int] = []
        rows = self._database.execute(
            "SELECT * FROM messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id",
            (queue.id, now),
        )
        for row in rows:
            if most is not None and row["received"] >= most:
                exhausted.append(row["id"])
                continue
            taken.append(row)
            if len(taken) == limit:
                break
        rows.close()
        if dead:
            self._database.executemany(
                "UPDATE messages SET queue = ?, visible_at = ?, nonce = NULL, source = ?"
                " WHERE id = ?",
                [(dead.id, now, source, row) for row in exhausted],
            )
        return [self._receive(queue, row, until, now) for row in taken], len(exhausted)

    def _receive(self, queue: Queue, row: sqlite3.Row, until: int, now: int) -> Received:
        receipt = new_receipt(queue.id, row["id"])
        first = row["first_received"] or now
        self._database.execute(
            "UPDATE messages SET visible_at = ?, received = received + 1, first_received = ?,"
            " nonce = ? WHERE id = ?",
            (until, first, receipt.nonce, row["id"]),
        )
        return Received(
            id=row["message_id"],
            receipt=str(receipt),
            letter=Letter(row["body"], json.loads(row["attributes"])),
            sent=row["sent"],
            first_received=first,
            received=row["received"] + 1,
            source=row["source"],
        )

    def next_visible(self, queue: Queue, now: int) -> int | None:
        """When the next hidden message of the queue shows."""
        row = self._database.execute(
            "SELECT MIN(visible_at) AS at FROM messages WHERE queue = ? AND visible_at > ?",
            (queue.id, now),
        ).fetchone()
        at: int | None = row["at"]
        return at

    def visible_at(self, receipt: Receipt) -> int | None:
        """When the message shows again; None unless this receive is still its latest."""
        row = self._database.execute(
            "SELECT visible_at FROM messages WHERE id = ? AND queue = ? AND nonce = ?",
            (receipt.row, receipt.queue, receipt.nonce),
        ).fetchone()
        at: int | None = row["visible_at"] if row else None
        return at

    def hide(self, receipt: Receipt, until: int) -> None:
        self._database.execute(
            "UPDATE messages SET visible_at = ? WHERE id = ? AND nonce = ?",
            (until, receipt.row, receipt.nonce),
        )

    def show_received(self, now: int) -> None:
        """Show what receives have hidden, in every queue."""
        self._database.execute(
            "UPDATE messages SET visible_at = ? WHERE nonce IS NOT NULL AND visible_at > ?",
            (now, now),
        )

    def delete(self, receipt: Receipt) -> None:
        """Delete the message if this receive is still its latest, else nothing."""
        self._database.execute(
            "DELETE FROM messages WHERE id = ? AND queue = ? AND nonce = ?",
            (receipt.row, receipt.queue, receipt.nonce),
        )

    def purge(self, queue: Queue) -> None:
        self._database.execute("DELETE FROM messages WHERE queue = ?", (queue.id,))

    def counts(self, queue: Queue, now: int) -> tuple[int, int, int]:
        """How many messages are visible, in flight and delayed."""
        row = self._database.execute(
            "SELECT COUNT(*) AS everything, SUM(visible_at <= :now) AS visible,"
            " SUM(visible_at > :now AND nonce IS NULL) AS delayed"
            " FROM messages WHERE queue = :queue",
            {"queue": queue.id, "now": now},
        ).fetchone()
        visible, delayed = row["visible"] or 0, row["delayed"] or 0
        return visible, row["everything"] - visible - delayed, delayed

    # Moves from a dead-letter queue

    def waiting_for_move(self, queue: Queue, now: int) -> list[tuple[int, str | None]]:
        """The visible messages of a queue and the ARN each came from."""
        rows = self._database.execute(
            "SELECT id, source FROM messages WHERE queue = ? AND visible_at <= ?",
            (queue.id, now),
        )
        return [(row["id"], row["source"]) for row in rows]

    def move(self, rows: Iterable[tuple[int, Queue]], now: int) -> None:
        """Start messages afresh in another queue: new id, new age, never received."""
        self._database.executemany(
            "UPDATE messages SET queue = ?, message_id = ?, sent = ?, visible_at = ?,"
            " received = 0, first_received = NULL, nonce = NULL, source = NULL WHERE id = ?",
            [(target.id, str(uuid.uuid4()), now, now, row) for row, target in rows],
        )

    def record_move(self, source: str, destination: str | None, moved: int, now: int) -> int:
        """Remember a finished move task; returns its id."""
        row = self._database.execute(
            "INSERT INTO moves (source, destination, moved, started) VALUES (?, ?, ?, ?)"
            " RETURNING id",
            (source, destination, moved, now),
        ).fetchone()
        task: int = row["id"]
        return task

    def moves(self, source: str, limit: int) -> list[sqlite3.Row]:
        """The latest move tasks from a queue's ARN, newest first."""
        return self._database.execute(
            "SELECT * FROM moves WHERE source = ? ORDER BY id DESC LIMIT ?", (source, limit)
        ).fetchall()


def _queue(row: sqlite3.Row) -> Queue:
    return Queue(
        row["id"], row["name"], json.loads(row["attributes"]), row["created"], row["modified"]
    )
