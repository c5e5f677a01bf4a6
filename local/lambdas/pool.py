"""The instances of one function: reused while idle, replaced when the code changes."""

import threading
import time
from collections.abc import Callable

from local.lambdas.workers import Instance


class ClosedError(Exception):
    """The runner is ending; nothing is invoked any more."""


class Pool:
    """At most ``cap`` instances of a function, each used by one thread at a time.

    ``start`` makes an instance of the code in a given state; ``state`` tells the
    present one.
    """

    def __init__(
        self, start: Callable[[int], Instance], state: Callable[[], int], cap: int
    ) -> None:
        self._start = start
        self._state = state
        self._cap = cap
        self._idle: list[Instance] = []
        self._busy: set[Instance] = set()
        self._starting = 0
        self._closed = threading.Event()
        self._changed = threading.Condition()

    def take(self) -> Instance:
        """An idle instance of the present code, or a new one; waits while ``cap`` are busy."""
        with self._changed:
            while True:
                if self._closed.is_set():
                    raise ClosedError
                state = self._state()
                self._end([instance for instance in self._idle if instance.state != state])
                if self._idle:
                    instance = self._idle.pop()
                    self._busy.add(instance)
                    return instance
                if len(self._busy) + self._starting < self._cap:
                    break
                self._changed.wait()
            self._starting += 1
        try:
            instance = self._start(state)
        except OSError:
            with self._changed:
                self._starting -= 1
                self._changed.notify()
            raise
        with self._changed:
            self._starting -= 1
            self._busy.add(instance)
            if self._closed.is_set():
                instance.kill()
        return instance

    def give_back(self, instance: Instance) -> None:
        """Return a taken instance; one that has ended is let go."""
        with self._changed:
            self._busy.discard(instance)
            if self._closed.is_set() or not instance.alive():
                instance.end()
            else:
                instance.used = time.monotonic()
                self._idle.append(instance)
            self._changed.notify()

    def end_idle(self, since: float) -> None:
        """End the instances that were last used before ``since`` (``time.monotonic()``)."""
        with self._changed:
            self._end([instance for instance in self._idle if instance.used < since])

    def close(self) -> None:
        """End every instance, busy ones too."""
        with self._changed:
            self._closed.set()
            self._end(self._idle)
            for instance in self._busy:
                instance.kill()
            self._changed.notify_all()

    def count(self) -> tuple[int, int]:
        """How many instances are idle and busy."""
        with self._changed:
            return len(self._idle), len(self._busy) + self._starting

    def _end(self, instances: list[Instance]) -> None:
        for instance in instances.copy():
            instance.end()
            self._idle.remove(instance)
