"""Imports: files with feedback that somebody uploads, and their way through the queue."""

import json
from typing import Final, Literal

from soulcaster.rules import ids

# An import is waiting until it is started. One that is paused goes on by itself.
State = Literal["waiting", "queued", "running", "paused", "done", "failed", "cancelled"]
ENDS: Final[tuple[State, ...]] = ("done", "failed", "cancelled")

MAX_BYTES: Final = 50_000_000
UPLOAD_SECONDS: Final = 60 * 60
# A file with more is not what it is said to be.
MAX_REFUSED: Final = 10_000
# What is stored in one go: so many rows, and fewer where they are long.
CHUNK_ROWS: Final = 200
CHUNK_CHARS: Final = 300_000


def object_key(identifier: str) -> str:
    """Where in the bucket the file of an import lies."""
    return f"imports/{identifier}"


def import_message(identifier: str, turn: int) -> str:
    """The queue message that has an import go on, of a later ``turn`` than the one before."""
    return json.dumps({"import": identifier, "turn": turn})


def parse_import(body: str) -> tuple[str, int]:
    """What ``import_message`` wrote; raises ``ValueError`` for anything else."""
    try:
        message = json.loads(body)
        identifier, turn = str(message["import"]), int(message["turn"])
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not the message of an import: {error!r}") from error
    if ids.project_of(identifier, "imp") is None:
        raise ValueError("not the message of an import: its id is none")
    return identifier, turn
