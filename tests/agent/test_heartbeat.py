"""What is told while an attempt runs: that it lives, what it spent and what its log says."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from soulcaster_agent import heartbeat
from soulcaster_agent.api import Api
from soulcaster_agent.budget import Budget, GrantError, Meter, OverBudgetError, Price
from soulcaster_agent.heartbeat import Heartbeat
from soulcaster_agent.log import CUT, MOST_LIVE, REST, Log
from soulcaster_agent.redact import Redactor
from tests.agent.conftest import until
from tests.agent.control_plane import API_KEY, TICKET, ControlPlane

NEVER = 600.0


@dataclass
class World:
    """A heartbeat and what it speaks for."""

    heart: Heartbeat
    log: Log
    meter: Meter
    stops: list[str] = field(default_factory=list)


type Make = Callable[..., World]


@pytest.fixture
def make(plane: ControlPlane) -> Iterator[Make]:
    """Make a heartbeat of a claimed attempt; it does not beat before its block is entered."""
    with httpx.Client() as http:
        api = Api(plane.address, http, lambda _: None)
        api.claim(TICKET)

        def make(seconds: float = NEVER, granted: float = 0.0) -> World:
            stops: list[str] = []
            log, meter = Log(Redactor([API_KEY])), Meter(Budget(), Price(2, 10), granted)
            heart = Heartbeat(api, seconds, meter, log, lambda: stops.append("stop"))
            return World(heart, log, meter, stops)

        yield make


def texts(plane: ControlPlane) -> list[str]:
    """What was followed, without the times before it."""
    return [each.split(" ", 1)[1] for each in plane.followed]


def test_each_entry_arrives_once_and_in_order(plane: ControlPlane, make: Make) -> None:
    """Answers that were lost have their entries sent again, to the same place."""
    plane.lost_answers = 3
    world = make(0.01)
    with world.heart:
        for number in range(500):
            world.log.engine(f"line {number}")
        until(lambda: len(plane.followed) >= 500)
    sent = [each for each in texts(plane) if each.startswith("line")]
    assert sent == [f"line {number}" for number in range(500)]
    assert plane.lost_answers == 0


def test_what_the_control_plane_lost_is_sent_again(plane: ControlPlane, make: Make) -> None:
    """It says where to go on, and that may be where it was before."""
    world = make()
    world.log.engine("one")
    world.heart.flush()
    plane.followed.clear()
    world.log.engine("two")
    world.heart.flush()
    assert texts(plane) == ["one", "two"]


def test_a_log_that_is_never_stored_is_not_sent_for_ever(
    plane: ControlPlane, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control plane that stores nothing does not keep the attempt from its end."""
    monkeypatch.setattr(heartbeat, "MOST_LAST_BEATS", 3)
    world, plane.forgets = make(), True
    world.log.engine("one")
    world.heart.flush()
    assert plane.beats == 3
    assert "is not stored" in world.log.text()


def test_a_beat_carries_a_page(plane: ControlPlane, make: Make) -> None:
    """At most 200 entries of 2,000 characters and 200 kB go out at once."""
    world = make()
    for _ in range(150):
        world.log.engine("é" * 5_000)
    for _ in range(300):
        world.log.engine("short")
    world.heart.flush()
    pages = [each["log"]["entries"] for each in plane.asked]
    assert max(map(len, pages)) == 200
    assert max(sum(len(each.encode()) for each in page) for page in pages) <= 200_000
    assert {len(each) for each in plane.followed[:150]} == {2_000}
    assert plane.followed[0].endswith(CUT)
    assert len(plane.followed) == 450


def test_what_can_be_followed_has_an_end(plane: ControlPlane, make: Make) -> None:
    """The last entry says that there is more; the whole log has all of it."""
    world = make()
    for number in range(MOST_LIVE + 50):
        world.log.engine(f"line {number}")
    world.heart.flush()
    world.heart.flush()
    assert len(plane.followed) == MOST_LIVE
    assert plane.followed[-2].endswith(f"line {MOST_LIVE - 2}")
    assert plane.followed[-1] == REST
    assert f"line {MOST_LIVE + 49}" in world.log.text()


def test_many_lines_are_not_left_waiting(
    plane: ControlPlane, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that grows is sent long before the next beat is due."""
    monkeypatch.setattr(heartbeat, "LEAST_SECONDS", 0.05)
    world = make(NEVER)
    with world.heart:
        for number in range(heartbeat.MANY_ENTRIES):
            world.log.engine(f"line {number}")
        until(lambda: len(plane.followed) == heartbeat.MANY_ENTRIES)


def test_nothing_is_sent_that_is_a_secret(plane: ControlPlane, make: Make) -> None:
    """An entry is redacted before it is cut and sent."""
    world = make()
    world.log.engine("x" * 1_990 + API_KEY)
    world.log.engine(f"the key is {API_KEY}")
    world.heart.flush()
    assert API_KEY[:5] not in "".join(plane.followed)
    assert texts(plane)[1] == "the key is [redacted]"


def test_a_question_tells_what_is_under_way_and_brings_the_answer(
    plane: ControlPlane, make: Make
) -> None:
    """A call that needs more waits for it; what it reserves is reported as spent."""
    world = make()
    number, _ = world.meter.reserve(1_000, 1_000)
    assert plane.asked[0]["spent"] == {"calls": 0, "read": 0, "written": 0, "dollars": 0}
    assert plane.asked[0]["wants"] == pytest.approx(0.262, abs=1e-5)
    world.meter.reserve(1_000, 32_000)
    assert plane.asked[1]["spent"]["dollars"] == pytest.approx(0.012)
    assert plane.asked[1]["wants"] == pytest.approx(0.584, abs=1e-5)
    world.meter.settle(number, 1_000, 100)
    world.heart.flush()
    assert world.meter.granted == pytest.approx(0.584, abs=1e-5)


def test_less_than_was_wanted_can_be_over_budget(plane: ControlPlane, make: Make) -> None:
    """When the control plane grants nothing more, the job ends and says so."""
    plane.grants = 0.0
    with pytest.raises(OverBudgetError, match="could be granted"):
        make().meter.reserve(1_000, 1_000)


def test_a_control_plane_that_is_away_is_asked_again(plane: ControlPlane, make: Make) -> None:
    """Five more tries; after them the call fails, and the job is not over budget."""
    world, plane.unreachable = make(), True
    with pytest.raises(GrantError):
        world.meter.reserve(1_000, 1_000)
    assert "could not be asked" in world.log.text()
    assert (world.stops, world.heart.stale) == ([], False)
    plane.unreachable, plane.lost_answers = False, 2
    assert world.meter.reserve(1_000, 1_000)[1] == 1_000


def test_a_question_that_is_refused_stops_the_attempt(plane: ControlPlane, make: Make) -> None:
    """As a refused beat does, and once, whatever is refused after it."""
    world, plane.stale = make(), True
    for _ in range(2):
        with pytest.raises(GrantError):
            world.meter.reserve(1_000, 1_000)
    world.heart.flush()
    assert world.heart.stale
    assert world.stops == ["stop"]


def test_a_log_that_can_not_be_sent_says_so(plane: ControlPlane, make: Make) -> None:
    """The attempt goes on without, for the whole log is stored elsewhere."""
    world, plane.unreachable = make(), True
    world.log.note("something")
    world.heart.flush()
    assert "The end of the log could not be sent" in world.log.text()


def test_a_block_that_breaks_sends_its_last_words(plane: ControlPlane, make: Make) -> None:
    """Who follows the log reads why it ends, even if nothing is reported any more."""
    world = make()
    with contextlib.suppress(SystemExit), world.heart:
        world.log.note("The task was told to end.")
        raise SystemExit(143)
    assert texts(plane) == ["The task was told to end."]


def test_beats_end_with_the_block(plane: ControlPlane, make: Make) -> None:
    """Nothing is sent any more, and an answer that is late changes nothing."""
    world = make(0.01)
    with world.heart:
        until(lambda: plane.beats > 2)
    beats = plane.beats
    world.log.note("after the end")
    assert (plane.beats, world.stops) == (beats, [])
