from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.day import day_of
from soulcaster.rules.quota import PENDING_RETRY_SECONDS, Standing, minute_of, over, too_fast
from tests.rules.samples import NOW

moments = st.integers(0, 4_102_444_800_000)
numbers = st.integers(0, 100)


@given(moments, numbers, numbers, numbers, numbers, numbers)
def test_there_is_room_below_both_quotas(
    now: int, items: int, pending: int, accepted: int, per_day: int, at_once: int
) -> None:
    """And only there; what was taken since the look counts for both."""
    standing = Standing(day_of(now), items, pending, per_day, at_once).after(accepted)
    room = items + accepted < per_day and pending + accepted < at_once
    assert (over(standing, now) is None) == room


@given(moments)
def test_the_day_is_waited_for_to_its_end(now: int) -> None:
    """Whoever comes again after so many seconds finds the next UTC day, and not sooner."""
    standing = Standing(day_of(now), 5, 0, 5, 10)
    found = over(standing, now)
    assert found is not None
    assert day_of(now + found.retry_after * 1000) != day_of(now)
    assert day_of(now + (found.retry_after - 1) * 1000 - 999) == day_of(now)
    assert over(standing, now + found.retry_after * 1000) is None


def test_what_waits_is_asked_for_again_in_a_minute() -> None:
    """Nobody knows when clustering has caught up; a used-up day goes first."""
    found = over(Standing(day_of(NOW), 0, 10, 5, 10), NOW)
    assert found is not None
    assert found.retry_after == PENDING_RETRY_SECONDS
    both = over(Standing(day_of(NOW), 5, 10, 5, 10), NOW)
    assert both is not None
    assert both.retry_after > PENDING_RETRY_SECONDS


def test_taking_in_goes_on_where_it_was() -> None:
    """Each time what was taken is added."""
    standing = Standing(day_of(NOW), 1, 2, 5, 10)
    assert standing.after(2).after(1) == Standing(day_of(NOW), 1, 2, 5, 10, accepted=3)


@given(moments, st.integers(1, 100), numbers)
def test_a_rate_holds_for_a_minute_of_the_clock(now: int, per_minute: int, taken: int) -> None:
    """Whoever is told to wait finds a new minute then, and at most a minute later."""
    found = too_fast(per_minute, taken, now)
    assert (found is None) == (taken < per_minute)
    if found:
        assert 1 <= found.retry_after <= 60
        assert minute_of(now + found.retry_after * 1000) == minute_of(now) + 1


def test_minutes_are_those_of_the_clock() -> None:
    """A minute begins with its second 0 in UTC."""
    noon = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
    assert minute_of(noon) == minute_of(noon + 59_999) == minute_of(noon - 1) + 1
