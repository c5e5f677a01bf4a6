"""Tells the control plane that the attempt is alive, what it spent and what its log says."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from soulcaster_agent.api import PAUSES, Api, RefusedError, UnreachableError
from soulcaster_agent.budget import GrantError, Meter
from soulcaster_agent.log import Log

# So many entries that wait are not left waiting for the next beat's time.
MANY_ENTRIES = 20
LEAST_SECONDS = 2.0
# Enough for all that can be followed, of the longest entries, twice.
MOST_LAST_BEATS = 200
# What a task that is told to end gives its last beat.
LAST_SECONDS = 3.0


class Heartbeat:
    """Beats from a thread while its block runs, and asks for what the meter needs granted.

    When the control plane refuses, ``stale`` becomes true, ``stop`` is called once and the
    beating ends. Unanswered beats are only noted: the control plane decides how many it
    misses before it gives the attempt up.
    """

    def __init__(
        self, api: Api, seconds: float, meter: Meter, log: Log, stop: Callable[[], None]
    ) -> None:
        self._api = api
        self._seconds = seconds
        self._meter = meter
        self._log = log
        self._stop = stop
        self._stored = 0
        self._line = threading.Lock()
        self._gate = threading.Lock()
        self._ended = threading.Event()
        self._stale = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        meter.ask_at(self.ask)

    @property
    def stale(self) -> bool:
        """Whether the control plane has given this attempt up."""
        return self._stale.is_set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the beating; a block that was left by an exception sends what its log last said."""
        self._ended.set()
        # Not for ever: the platform kills a task that takes too long to end.
        self._thread.join(LAST_SECONDS)
        if error is not None and not self.stale and self._line.acquire(timeout=LAST_SECONDS):
            try:
                self._beat(seconds=LAST_SECONDS)
            except (RefusedError, UnreachableError) as problem:
                self._log.note(f"The last heartbeat got no answer: {problem}")
            finally:
                self._line.release()

    def ask(self, wants: float) -> float:
        """Return how many dollars are granted when so many are wanted; raises GrantError."""
        try:
            with self._line:
                self._beat(wants, PAUSES)
        except RefusedError as error:
            self._give_up(error)
            raise GrantError("The attempt is over for the control plane.") from None
        except UnreachableError as error:
            self._log.note(f"The control plane could not be asked for more dollars: {error}")
            raise GrantError("The control plane can't be asked for more dollars.") from None
        return self._meter.granted

    def flush(self) -> None:
        """Send all that the log says by now; what can't be sent is in the whole log."""
        try:
            for _ in range(MOST_LAST_BEATS):
                if self._stored >= self._log.live:
                    return
                with self._line:
                    self._beat(pauses=PAUSES)
            self._log.note("The end of the log is not stored where it can be followed.")
        except RefusedError as error:
            self._give_up(error)
        except UnreachableError as error:
            self._log.note(f"The end of the log could not be sent: {error}")

    def _run(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(min(self._seconds, LEAST_SECONDS)):
            waiting = self._log.live - self._stored
            if waiting < MANY_ENTRIES and time.monotonic() < last + self._seconds:
                continue
            last = time.monotonic()
            try:
                with self._line:
                    self._beat()
            except RefusedError as error:
                self._give_up(error)
                return
            except UnreachableError as error:
                self._log.note(f"A heartbeat got no answer: {error}")

    def _beat(
        self, wants: float = 0.0, pauses: tuple[float, ...] = (), seconds: float | None = None
    ) -> None:
        """Send one beat; one thread at a time, for it sends on from where the last one ended."""
        start = self._stored
        page = self._log.page(start)
        beat = self._api.heartbeat(
            self._meter.at_most, wants, start, page, pauses=pauses, seconds=seconds
        )
        # Less than was sent: it was lost on the way, and is sent again.
        self._stored = max(0, min(beat.stored, start + len(page)))
        self._meter.grant(beat.granted)

    def _give_up(self, error: RefusedError) -> None:
        with self._gate:
            first = not self._stale.is_set()
            self._stale.set()
        if first:
            self._log.note(f"The control plane refused a heartbeat: {error}")
            self._stop()
