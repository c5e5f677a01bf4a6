"""Why a cluster has the impact it has, in one line for people.

The score itself is made where the counts are, in ``edges/lua/lib/impact.lua``; docs/impact.md has
the formula and where it comes from.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from soulcaster.rules.feedback import SEVERITIES, Severity
from soulcaster.rules.kinds import KINDS

WEEK_MS = 7 * 24 * 60 * 60 * 1000
EARLIER_WEEKS = 4  # the time before this week that "its usual" is taken from
SAID = ("warning", "error", "fatal")  # "info" moves nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a cluster's score was made from, as of ``ranked_at``.

    ``reporters`` counts what a program reports, such as a Sentry issue, as one; ``sources``: items
    by kind of source; ``week`` and ``earlier``: reports of the last seven days and of the four
    weeks before; ``silent``: whole days since the last report, at most 60 of them looked at;
    ``severity``: the worst. Times in ms.
    """

    reporters: int
    sources: Mapping[str, int]
    week: int
    earlier: int
    silent: int
    severity: Severity | None
    first_seen: int
    ranked_at: int


def worst(counts: Mapping[str, int]) -> Severity | None:
    """The worst severity that occurs; None when none is known."""
    return next((one for one in reversed(SEVERITIES) if counts.get(one)), None)


def reason(parts: Parts) -> str:
    """Such as "12 people on 3 sources, 9 reports this week (3 times its usual), error"."""
    said = [_who(parts), _lately(parts)]
    if parts.severity in SAID:
        said.append(parts.severity)
    return ", ".join(said)


def _who(parts: Parts) -> str:
    """People, and programs apart from them: that one met an error a thousand times is no crowd."""
    reported = {kind: n for kind, n in parts.sources.items() if KINDS[kind].PROGRAM}
    people = parts.reporters - sum(reported.values())
    who = []
    if people:
        who.append("1 person" if people == 1 else f"{people:,} people")
    who += [_number(n, str(KINDS[kind].PROGRAM)) for kind, n in sorted(reported.items())]
    kinds = len(parts.sources)
    said = " and ".join([", ".join(who[:-1]), who[-1]] if who[1:] else who)
    return said + (f" on {kinds} sources" if kinds > 1 else "")


def _lately(parts: Parts) -> str:
    if not parts.week:
        return f"no report for {_number(parts.silent, 'day')}"
    return f"{_number(parts.week, 'report')} this week" + _compared(parts)


def _compared(parts: Parts) -> str:
    """How the week is beside the usual, where there is one and the difference is no chance.

    A count of n reports that come independently varies by √n (Poisson). Two such deviations above
    the usual happen by chance in one week of some forty.
    """
    weeks = min(EARLIER_WEEKS, (parts.ranked_at - parts.first_seen) / WEEK_MS - 1)
    if weeks < 1:
        return ""
    if not parts.earlier:
        quiet = weeks == EARLIER_WEEKS and parts.week > 1
        return f" (none in the {EARLIER_WEEKS} weeks before)" if quiet else ""
    usual = parts.earlier / weeks
    if parts.week - usual < 2 * math.sqrt(usual):
        return ""
    times = parts.week / usual
    shown = f"{times:,.0f}" if times >= 3 else f"{times:.1f}".removesuffix(".0")
    return f" ({shown} times its usual)" if times >= 1.5 else ""


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
