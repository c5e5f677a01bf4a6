from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.edges.lua import call
from tests.edges.servers import command
from tests.rules.samples import NOW

DAY = 24 * 60 * 60 * 1000
SOURCES = ("github", "reddit", "sentry", "standard")
SEVERITIES = ("", "info", "warning", "error", "fatal")  # '' is not known

# A cluster of the given facts, rated. Reporters, items and reports are set apart, so that each can
# be changed with the others as they are.
_RATED = """
local facts, now = cjson.decode(ARGV[1]), tonumber(ARGV[2])
local p, cl = 'p:larder:', 'p:larder:cl:one'
redis.call('DEL', cl, cl .. ':items', cl .. ':reporters', cl .. ':days')
redis.call('HSET', cl, 'id', 'one', 'status', 'open')
for n = 1, facts.reporters do redis.call('HSET', cl .. ':reporters', 'somebody ' .. n, 1) end
for _, source in ipairs(facts.sources) do redis.call('HSET', cl, 'source:' .. source, 1) end
for n, severity in ipairs(facts.severities) do
  if severity ~= '' then redis.call('HINCRBY', cl, 'severity:' .. severity, 1) end
  redis.call('ZADD', cl .. ':items', facts.last, 'item ' .. n)
end
for day, reports in pairs(facts.days) do redis.call('HSET', cl .. ':days', day, reports) end
describe(p, 'one', now)
return redis.call('HMGET', cl, 'impact', 'impact_low', 'impact_high')
"""


@dataclass(frozen=True)
class Facts:
    """What a cluster is rated by. ``ago``: reports by how many days ago they came."""

    reporters: int = 1
    sources: tuple[str, ...] = ("github",)
    severities: tuple[str, ...] = ("",)
    ago: Mapping[int, int] = field(default_factory=lambda: {0: 1})


FACTS = st.builds(
    Facts,
    reporters=st.integers(1, 40),
    sources=st.sets(st.sampled_from(SOURCES), min_size=1).map(lambda s: tuple(sorted(s))),
    severities=st.lists(st.sampled_from(SEVERITIES), min_size=1, max_size=12).map(tuple),
    ago=st.dictionaries(st.integers(0, 80), st.integers(1, 60), min_size=1, max_size=10),
)

many = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def rated(url: str, facts: Facts, later: int = 0) -> tuple[float, float, float]:
    """Score, low and high, so many days after ``NOW``."""
    today = NOW // DAY
    given = {
        "reporters": facts.reporters,
        "sources": facts.sources,
        "severities": facts.severities,
        "days": {str(today - ago): reports for ago, reports in facts.ago.items()},
        "last": NOW - min(facts.ago) * DAY,
    }
    score, low, high = map(float, call(url, "tally", _RATED, given, NOW + later * DAY))
    return score, low, high


def score(url: str, facts: Facts, later: int = 0) -> float:
    return rated(url, facts, later)[0]


@many
@given(FACTS, st.integers(0, 70))
def test_the_score_is_between_its_bounds(redis_url: str, facts: Facts, later: int) -> None:
    """From 0 to 100, low ≤ score ≤ high, whatever is reported and whenever it is looked at."""
    found, low, high = rated(redis_url, facts, later)
    assert 0 <= low <= found <= high <= 100


@many
@given(FACTS, st.integers(1, 30))
def test_more_reporters_never_lower_it(redis_url: str, facts: Facts, more: int) -> None:
    """With everything else as it is, each further person counts."""
    larger = replace(facts, reporters=facts.reporters + more)
    for is_, was in zip(rated(redis_url, larger), rated(redis_url, facts), strict=True):
        assert is_ >= was


@many
@given(FACTS, st.integers(0, 80), st.integers(1, 50))
def test_more_reports_never_lower_it(redis_url: str, facts: Facts, ago: int, more: int) -> None:
    """On whichever day they came: an old report makes a problem no smaller."""
    larger = replace(facts, ago={**facts.ago, ago: facts.ago.get(ago, 0) + more})
    assert score(redis_url, larger) >= score(redis_url, facts)


@many
@given(FACTS, st.sampled_from(SOURCES), st.sampled_from(SEVERITIES), st.integers(0, 80))
def test_another_persons_item_never_lowers_it(
    redis_url: str, facts: Facts, source: str, severity: str, ago: int
) -> None:
    """A further item of a further person, from anywhere, as slight as may be and of any age."""
    larger = Facts(
        facts.reporters + 1,
        tuple(sorted({*facts.sources, source})),
        (*facts.severities, severity),
        {**facts.ago, ago: facts.ago.get(ago, 0) + 1},
    )
    assert score(redis_url, larger) >= score(redis_url, facts)


@many
@given(FACTS, st.sampled_from(SEVERITIES[2:]), st.data())
def test_a_worse_item_never_lowers_it(
    redis_url: str, facts: Facts, worse: str, data: st.DataObject
) -> None:
    """The more severe an item turns out to be, the more its cluster matters."""
    place = data.draw(st.integers(0, len(facts.severities) - 1))
    severities = list(facts.severities)
    if SEVERITIES.index(worse) > SEVERITIES.index(severities[place]):
        severities[place] = worse
    assert score(redis_url, replace(facts, severities=tuple(severities))) >= score(redis_url, facts)


@many
@given(FACTS, st.integers(0, 40), st.integers(1, 40))
def test_older_is_not_higher(redis_url: str, facts: Facts, later: int, more: int) -> None:
    """As long as nobody reports anything, a score only goes down."""
    assert score(redis_url, facts, later + more) <= score(redis_url, facts, later)


@many
@given(FACTS)
def test_equal_facts_give_equal_scores(redis_url: str, facts: Facts) -> None:
    """However often it is rated and in whatever order the facts came in."""
    other_way = replace(
        facts,
        sources=facts.sources[::-1],
        severities=facts.severities[::-1],
        ago=dict(list(facts.ago.items())[::-1]),
    )
    assert rated(redis_url, facts) == rated(redis_url, other_way) == rated(redis_url, facts)


def test_counts_say_less_and_less(redis_url: str) -> None:
    """The second person says more than the hundredth, and the uncertainty of few is larger."""

    def step(n: int) -> float:
        return score(redis_url, Facts(reporters=n + 1)) - score(redis_url, Facts(reporters=n))

    assert step(1) > step(10) > step(99)
    _, low, high = rated(redis_url, Facts(reporters=2))
    _, low_of_many, high_of_many = rated(redis_url, Facts(reporters=100))
    assert high - low > high_of_many - low_of_many


MATTERS_MORE = {
    "two people rather than one": (Facts(2, ago={0: 2}), Facts(1, ago={0: 2})),
    "five this week rather than one each week": (
        Facts(5, ago={0: 3, 3: 2}),
        Facts(5, ago={0: 1, 7: 1, 14: 1, 21: 1, 28: 1}),
    ),
    "twice the usual rather than the usual": (
        Facts(20, ago={1: 8, 10: 4, 17: 4, 24: 4}),
        Facts(20, ago={1: 4, 10: 4, 17: 4, 24: 4}),
    ),
    "an error rather than an information": (
        Facts(sources=("sentry",), severities=("error",)),
        Facts(sources=("sentry",), severities=("info",)),
    ),
    "mostly errors rather than one among many": (
        Facts(severities=("error", "error", "info")),
        Facts(severities=("error", "info", "info")),
    ),
    "heard in two places rather than twice in one": (
        Facts(2, ("github", "reddit"), ago={0: 2}),
        Facts(2, ago={0: 2}),
    ),
    "three people's complaint rather than one error that came a few times": (
        Facts(3, severities=("", "", ""), ago={0: 3}),
        Facts(1, ("sentry",), ("error",), {0: 3}),
    ),
    "a dozen people rather than a warning that comes a hundred times a week": (
        Facts(12, severities=("",) * 12, ago=dict.fromkeys(range(12), 1)),
        Facts(1, ("sentry",), ("warning",), dict.fromkeys(range(35), 14)),
    ),
    "forty people a season ago rather than one today": (
        Facts(40, severities=("",) * 40, ago={59: 40}),
        Facts(),
    ),
    "a crash that comes a thousand times a week rather than two people's wish": (
        Facts(1, ("sentry",), ("fatal",), dict.fromkeys(range(7), 150)),
        Facts(2, ago={0: 2}),
    ),
}


@pytest.mark.parametrize("case", MATTERS_MORE)
def test_the_order_is_the_one_that_people_would_choose(redis_url: str, case: str) -> None:
    """Which of two clusters anybody would look at first."""
    first, second = MATTERS_MORE[case]
    assert score(redis_url, first) > score(redis_url, second)


def test_one_report_is_no_trend(redis_url: str) -> None:
    """After a quiet month it counts for less than one a week, a quiet week is no end; what comes
    as usual is taken as it is, and more than that at once as more.
    """

    def velocity(week: int, earlier: int) -> float:
        body = "return tostring(velocity(cjson.decode(ARGV[1]), cjson.decode(ARGV[2])))"
        return float(call(redis_url, "impact", body, week, earlier))

    assert velocity(1, 0) < velocity(1, 4) == pytest.approx(1, rel=0.2)
    assert 0 < velocity(0, 16) < velocity(4, 16)
    assert velocity(40, 160) == pytest.approx(40, rel=0.2)
    assert velocity(80, 160) - velocity(40, 160) > velocity(40, 160) - velocity(0, 160)


def test_an_empty_cluster_is_in_no_list(redis_url: str) -> None:
    """And it has no rating."""
    rated(redis_url, Facts())
    body = "redis.call('DEL', 'p:larder:cl:one:items') describe('p:larder:', 'one', ARGV[1])"
    call(redis_url, "tally", body, NOW)
    assert command(redis_url, "KEYS", "p:larder:cls*") == []
    assert command(redis_url, "HMGET", "p:larder:cl:one", "impact", "reporters") == [None, None]
