"""Days, for what is counted by the day: in UTC."""

from datetime import UTC, datetime

DAY_SECONDS = 24 * 60 * 60


def day_of(now: int) -> str:
    """The UTC day of a moment in ms since 1970, as YYYY-MM-DD."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%d")


def until_tomorrow(now: int) -> int:
    """Seconds from a moment in ms to the next UTC day, at least one."""
    return DAY_SECONDS - now // 1000 % DAY_SECONDS
