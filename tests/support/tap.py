"""What passes between the functions and everything outside, and what is made to go wrong there."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Call:
    """One request of a function to something outside; ``what`` is for people to read."""

    system: str
    what: str

    def __str__(self) -> str:
        return f"{self.system}: {self.what}"


@dataclass(frozen=True)
class Fault:
    """What happens to one call, counted among those to ``system`` ('' for all), from 1.

    ``kill`` ends the process that calls, by SIGKILL. ``close`` drops the connection, ``hang``
    keeps it and says nothing, a number is answered as a status. With ``applied`` the call has
    had its effect by then. ``lasting``: every later call meets the same.
    """

    deed: Literal["kill", "close", "hang"] | int
    applied: bool = False
    system: str = ""
    number: int = 1
    lasting: bool = False


class Tap:
    """Notes every call and says which of them meets a fault. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recordings: list[list[Call]] = []
        self._faults: list[Fault] = []
        self._seen: dict[Fault, int] = {}
        self._victim: int | None = None

    @contextmanager
    def recording(self) -> Iterator[list[Call]]:
        """The calls that are made in this block, in order."""
        calls: list[Call] = []
        with self._lock:
            self._recordings.append(calls)
        try:
            yield calls
        finally:
            with self._lock:
                self._recordings = [each for each in self._recordings if each is not calls]

    @contextmanager
    def faulty(self, *faults: Fault) -> Iterator[None]:
        """Let ``faults`` happen in this block, and no longer."""
        with self._lock:
            self._faults = list(faults)
            self._seen = dict.fromkeys(faults, 0)
        try:
            yield
        finally:
            with self._lock:
                self._faults = []

    def watch(self, pid: int) -> None:
        """From now on a ``kill`` ends this process."""
        self._victim = pid

    def note(self, call: Call) -> Fault | None:
        """Record ``call``; returns what is to happen to it."""
        with self._lock:
            for calls in self._recordings:
                calls.append(call)
            for fault in self._faults:
                if fault.system in ("", call.system):
                    self._seen[fault] += 1
                    past = self._seen[fault] - fault.number
                    if past == 0 or (past > 0 and fault.lasting):
                        return fault
        return None

    def kill(self) -> None:
        """End the process that calls."""
        assert self._victim is not None, "nothing runs that could be killed"
        os.kill(self._victim, signal.SIGKILL)
