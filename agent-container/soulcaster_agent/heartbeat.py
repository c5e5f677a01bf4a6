"""Tells the control plane that the attempt is alive, and hears when it should stop."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from soulcaster_agent.api import Api, RefusedError, UnreachableError
from soulcaster_agent.log import Log


class Heartbeat:
    """Beats from a thread while its block runs.

    When the control plane refuses a beat, ``stale`` becomes true, ``stop`` is called
    once and the beating ends. Unanswered beats are only noted: the control plane
    decides how many it misses before it gives the attempt up.
    """

    def __init__(self, api: Api, seconds: float, stop: Callable[[], None], log: Log) -> None:
        self._api = api
        self._seconds = seconds
        self._stop = stop
        self._log = log
        self._ended = threading.Event()
        self._stale = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

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
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self._api.heartbeat()
            except RefusedError as error:
                self._stale.set()
                self._log.note(f"The control plane refused a heartbeat: {error}")
                self._stop()
                return
            except UnreachableError as error:
                self._log.note(f"A heartbeat got no answer: {error}")
