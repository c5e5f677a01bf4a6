"""How much a project and a source may send, and when there is room again."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from soulcaster.rules.day import day_of, until_tomorrow

# Nobody knows when clustering has caught up.
PENDING_RETRY_SECONDS = 60
_MINUTE_MS = 60_000


class Over(NamedTuple):
    """Why there is no room, and in how many seconds to ask again (at least one)."""

    why: str
    retry_after: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a project had used up when it was looked at, and its limits.

    ``items`` are the new ones of the UTC ``day``, ``pending`` those that wait to be clustered.
    ``accepted`` are those taken in since; each counts as a new one, as nobody has looked yet.
    """

    day: str
    items: int
    pending: int
    items_per_day: int
    pending_items: int
    accepted: int = 0

    def after(self, items: int) -> "Standing":
        """The standing once so many more were taken in."""
        return replace(self, accepted=self.accepted + items)


def over(standing: Standing, now: int) -> Over | None:
    """Which quota is used up at ``now`` (ms); None while there is room for another item."""
    items = standing.items if standing.day == day_of(now) else 0
    if items + standing.accepted >= standing.items_per_day:
        why = f"the project's quota of {standing.items_per_day} new items a day is used up"
        return Over(why, until_tomorrow(now))
    if standing.pending + standing.accepted >= standing.pending_items:
        why = f"{standing.pending_items} items of the project wait to be clustered already"
        return Over(why, PENDING_RETRY_SECONDS)
    return None


def minute_of(now: int) -> int:
    """The number of the UTC minute that ``now`` (ms) is in."""
    return now // _MINUTE_MS


def too_fast(per_minute: int, taken: int, now: int) -> Over | None:
    """Whether a source that sent ``taken`` deliveries in the minute of ``now`` has to wait."""
    if taken < per_minute:
        return None
    left = _MINUTE_MS - now % _MINUTE_MS
    return Over(f"the source's rate of {per_minute} deliveries a minute", -(-left // 1000))
