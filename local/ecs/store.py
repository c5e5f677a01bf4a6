"""Tasks, client tokens and undelivered events in SQLite."""

import json
from pathlib import Path
from typing import Any

from local.aws import Args
from local.ecs.task import Task
from local.sqlite import connect, transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    arn TEXT PRIMARY KEY, number INTEGER NOT NULL, cluster TEXT NOT NULL, family TEXT NOT NULL,
    started_by TEXT, desired TEXT NOT NULL, last TEXT NOT NULL, pid INTEGER, pid_started TEXT,
    document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
    cluster TEXT NOT NULL, token TEXT NOT NULL, parameters TEXT NOT NULL, arns TEXT NOT NULL,
    PRIMARY KEY (cluster, token));
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, arn TEXT NOT NULL, event TEXT NOT NULL);
"""


class Store:
    """The database file of one emulator; one process, one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._database = connect(folder / "ecs.sqlite3", _SCHEMA)

    def add(self, tasks: list[Task], family: str, token: str | None, parameters: Args) -> None:
        """Store new tasks, and under which client token they were asked for."""
        cluster, arns = tasks[0]["clusterArn"], [task["taskArn"] for task in tasks]
        with transaction(self._database):
            for task in tasks:
                self._database.execute(
                    "INSERT INTO tasks (arn, number, cluster, family, started_by, desired, last,"
                    " document) VALUES (?, (SELECT COUNT(*) FROM tasks), ?, ?, ?, ?, ?, ?)",
                    (
                        task["taskArn"],
                        cluster,
                        family,
                        task.get("startedBy"),
                        task["desiredStatus"],
                        task["lastStatus"],
                        json.dumps(task),
                    ),
                )
            if token:
                self._database.execute(
                    "INSERT INTO tokens VALUES (?, ?, ?, ?)",
                    (cluster, token, json.dumps(parameters, sort_keys=True), json.dumps(arns)),
                )

    def asked(self, cluster: str, token: str) -> tuple[Args, list[str]] | None:
        """The parameters and the tasks' ARNs of the RunTask that used ``token``."""
        row = self._database.execute(
            "SELECT * FROM tokens WHERE cluster = ? AND token = ?", (cluster, token)
        ).fetchone()
        return (json.loads(row["parameters"]), json.loads(row["arns"])) if row else None

    def save(self, task: Task, event: dict[str, Any] | None = None) -> None:
        """Replace a task, and keep the event about that until it is delivered."""
        with transaction(self._database):
            self._database.execute(
                "UPDATE tasks SET desired = ?, last = ?, document = ? WHERE arn = ?",
                (task["desiredStatus"], task["lastStatus"], json.dumps(task), task["taskArn"]),
            )
            if event:
                self._database.execute(
                    "INSERT INTO events (arn, event) VALUES (?, ?)",
                    (task["taskArn"], json.dumps(event)),
                )

    def set_process(self, arn: str, pid: int, started: str | None) -> None:
        self._database.execute(
            "UPDATE tasks SET pid = ?, pid_started = ? WHERE arn = ?", (pid, started, arn)
        )

    def find(self, arn: str) -> Task | None:
        row = self._database.execute("SELECT document FROM tasks WHERE arn = ?", (arn,)).fetchone()
        return json.loads(row["document"]) if row else None

    def unfinished(self) -> list[tuple[Task, int | None, str | None]]:
        """The tasks that have not stopped, with their process and when that started."""
        rows = self._database.execute("SELECT * FROM tasks WHERE last != 'STOPPED'")
        return [(json.loads(row["document"]), row["pid"], row["pid_started"]) for row in rows]

    def numbered(self, wanted: dict[str, str], after: int, limit: int) -> list[tuple[int, str]]:
        """The numbers and ARNs of tasks with these column values, oldest first."""
        conditions = "".join(f" AND {column} = :{column}" for column in wanted)
        rows = self._database.execute(
            f"SELECT number, arn FROM tasks WHERE number > :after{conditions}"
            " ORDER BY number LIMIT :limit",
            wanted | {"after": after, "limit": limit},
        )
        return [(row["number"], row["arn"]) for row in rows]

    def next_event(self, arn: str) -> tuple[int, dict[str, Any]] | None:
        """The oldest undelivered event of a task."""
        row = self._database.execute(
            "SELECT id, event FROM events WHERE arn = ? ORDER BY id LIMIT 1", (arn,)
        ).fetchone()
        return (row["id"], json.loads(row["event"])) if row else None

    def tasks_with_events(self) -> list[str]:
        return [row["arn"] for row in self._database.execute("SELECT DISTINCT arn FROM events")]

    def drop_event(self, number: int) -> None:
        self._database.execute("DELETE FROM events WHERE id = ?", (number,))
