from dataclasses import replace
from typing import Any

import pytest

from soulcaster.rules.impact import WEEK_MS, Parts, reason, worst
from tests.rules.samples import NOW

PARTS = Parts(
    reporters=12,
    sources={"github": 5, "reddit": 6, "standard": 4},
    week=9,
    earlier=12,
    silent=0,
    severity="error",
    first_seen=NOW - 20 * WEEK_MS,
    ranked_at=NOW,
)


def said(**given: Any) -> str:
    return reason(replace(PARTS, **given))


def test_a_reason_says_who_how_often_and_how_bad() -> None:
    """All of it on one line."""
    assert reason(PARTS) == "12 people on 3 sources, 9 reports this week (3 times its usual), error"


@pytest.mark.parametrize(
    ("reporters", "sources", "who"),
    [
        (1, {"github": 1}, "1 person"),
        (2, {"github": 9}, "2 people"),
        (1234, {"github": 2000}, "1,234 people"),
        (1, {"sentry": 1}, "1 Sentry issue"),
        (3, {"sentry": 3}, "3 Sentry issues"),
        (3, {"sentry": 1, "reddit": 4}, "2 people and 1 Sentry issue on 2 sources"),
        (2, {"sentry": 1, "reddit": 4}, "1 person and 1 Sentry issue on 2 sources"),
    ],
)
def test_people_are_told_from_programs(reporters: int, sources: dict[str, int], who: str) -> None:
    """A Sentry issue is nobody's; one source is not worth a word."""
    assert said(reporters=reporters, sources=sources).startswith(f"{who}, ")


@pytest.mark.parametrize(
    ("week", "silent", "lately"),
    [
        (1, 0, "1 report this week"),
        (2, 0, "2 reports this week"),
        (1500, 3, "1,500 reports this week"),
        (0, 1, "no report for 1 day"),
        (0, 45, "no report for 45 days"),
    ],
)
def test_how_often_lately(week: int, silent: int, lately: str) -> None:
    """Reports of this week; where there are none, since when."""
    shown = said(week=week, silent=silent, first_seen=NOW, severity=None)
    assert shown == f"12 people on 3 sources, {lately}"


@pytest.mark.parametrize(
    ("week", "earlier", "weeks", "compared"),
    [
        (9, 12, 20, " (3 times its usual)"),
        (9, 16, 20, " (2.2 times its usual)"),
        (8, 16, 20, " (2 times its usual)"),
        (12, 40, 20, ""),  # within what chance makes of ten a week
        (140, 400, 20, ""),  # more than chance, less than anybody would remark on
        (160, 400, 20, " (1.6 times its usual)"),
        (2000, 4, 20, " (2,000 times its usual)"),
        (3, 0, 20, " (none in the 4 weeks before)"),
        (1, 0, 20, ""),
        (9, 6, 3, " (3 times its usual)"),  # two weeks before this one, with three each
        (9, 3, 1.5, ""),  # too young to have a usual
        (9, 0, 3, ""),
        (2, 16, 20, ""),
    ],
)
def test_a_week_is_compared_where_that_says_something(
    week: int, earlier: int, weeks: float, compared: str
) -> None:
    """With the cluster's own weeks before, when the difference is no chance."""
    shown = said(week=week, earlier=earlier, first_seen=NOW - int(weeks * WEEK_MS), severity="info")
    assert shown.endswith(f" this week{compared}")


@pytest.mark.parametrize(
    ("severity", "end"),
    [("fatal", ", fatal"), ("error", ", error"), ("warning", ", warning"), ("info", "usual)")],
)
def test_how_bad_it_is(severity: str, end: str) -> None:
    """From a warning on."""
    assert said(severity=severity).endswith(end)


def test_the_worst_counts() -> None:
    """However many are less bad; none is none."""
    assert worst({"info": 90, "fatal": 1, "error": 3}) == "fatal"
    assert worst({"info": 2}) == "info"
    assert worst({}) is None
