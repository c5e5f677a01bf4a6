"""How long things keep."""

from __future__ import annotations

from datetime import date, timedelta

SOON = timedelta(days=3)


def status(expires: date | None, today: date) -> str:
    """Return "expired", "soon" or "ok".

    A product may be eaten up to and including the date printed on it.
    """
    if expires is None:
        return "ok"
    if expires <= today:
        return "expired"
    if expires - today <= SOON:
        return "soon"
    return "ok"


def describe(expires: date | None, today: date) -> str:
    """Say in a few words how long something keeps; empty when it has no date."""
    if expires is None:
        return ""
    if status(expires, today) == "expired":
        return f"EXPIRED {expires.isoformat()}"
    days = (expires - today).days
    if days == 0:
        return "today"
    if status(expires, today) == "soon":
        return f"soon, {days} day{'s' if days > 1 else ''} left"
    return expires.isoformat()
