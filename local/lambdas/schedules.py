"""Fires the template's rate schedules."""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from local.lambdas.stack import Places, Schedule


class Schedules:
    """Says which schedules are due; each is due first one period after the start.

    ``clock`` is in seconds and never goes back. A schedule that was missed for several
    periods, on a laptop that slept, is due once.
    """

    def __init__(
        self, schedules: Sequence[Schedule], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._due = [(clock() + schedule.period, schedule) for schedule in schedules]

    def due(self) -> list[Schedule]:
        """The schedules to fire now; each counts as fired."""
        now = self._clock()
        fired = [schedule for at, schedule in self._due if at <= now]
        self._due = [(next_after(now, at, schedule.period), schedule) for at, schedule in self._due]
        return fired

    def wait(self) -> float:
        """Seconds until the next one is due; infinite when there is none."""
        return max(0.0, min((at for at, _ in self._due), default=float("inf")) - self._clock())


def next_after(now: float, at: float, period: int) -> float:
    """The first of ``at``, ``at + period``, … that is later than ``now``."""
    return at if at > now else at + period * ((now - at) // period + 1)


def event(schedule: Schedule, places: Places, now: datetime) -> Any:
    """What the function gets: its constant input, or the service's own event."""
    if schedule.input is not None:
        return schedule.input
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": schedule.source,
        "account": places.account,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": places.region,
        "resources": [schedule.arn],
        "detail": "{}" if schedule.source == "aws.scheduler" else {},
    }


def run(
    schedules: Schedules,
    places: Places,
    invoke: Callable[[str, Any], None],
    stopped: threading.Event,
) -> None:
    """Fire schedules until ``stopped``."""
    while not stopped.wait(min(schedules.wait(), threading.TIMEOUT_MAX)):
        for schedule in schedules.due():
            invoke(schedule.function, event(schedule, places, datetime.now(UTC)))
