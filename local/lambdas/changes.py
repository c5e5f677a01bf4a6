"""Notices edits below the folders a function's code comes from."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

# A look that took 1 ms is not repeated within the next 20 ms: a built layer of thousands
# of files costs a few percent at most, and a folder of sources is as good as always read.
REST = 20


class Folders:
    """The state of some folders, as a value that differs after every edit."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = [str(path) for path in paths]
        self._lock = threading.Lock()
        self._state = 0
        self._again = 0.0

    def state(self) -> int:
        with self._lock:
            start = time.monotonic()
            if start >= self._again:
                self._state = hash(frozenset(e for path in self._paths for e in files(path)))
                end = time.monotonic()
                self._again = end + REST * (end - start)
            return self._state


def files(folder: str) -> Iterator[tuple[str, int]]:
    """Each file below ``folder`` with its modification time in nanoseconds.

    What Python writes by itself, and what editors hide behind a dot, is left out.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            with contextlib.suppress(FileNotFoundError):  # an editor's passing file
                if entry.is_dir():
                    yield from files(entry.path)
                else:
                    yield entry.path, entry.stat().st_mtime_ns
