import json
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulcaster.rules.job import (
    ENDS,
    ENTERED_FROM,
    FIRST_PAUSE_SECONDS,
    HEARTBEAT_SECONDS,
    HOLDS_SLOT,
    LIVE,
    LONGEST_PAUSE_SECONDS,
    MAX_ATTEMPTS,
    PATIENCE,
    Forbidden,
    State,
    attempt_message,
    credential,
    held,
    object_key,
    parse_attempt,
    parse_credential,
    pause,
    proof_seconds,
)
from tests.rules.signed import json_values

STATES: tuple[State, ...] = get_args(State)
KEY = "k" * 64
JOB = "job_larder_00aa11bb22cc33dd44ee"


def leaves(state: State) -> set[State]:
    """The states that may follow ``state``."""
    return {to for to, froms in ENTERED_FROM.items() if state in froms}


def test_every_state_has_its_rules() -> None:
    """Each state says where it is entered from, and each that does not end how long it may last."""
    assert set(ENTERED_FROM) == set(STATES)
    assert set(PATIENCE) == set(STATES) - ENDS
    assert set(STATES) >= {state for froms in ENTERED_FROM.values() for state in froms}


def test_an_end_is_an_end() -> None:
    """No state is entered from one that ends, and every other state can be left."""
    for state in STATES:
        assert (leaves(state) == set()) is (state in ENDS)


def test_every_accepted_job_can_end() -> None:
    """From wherever a job is, an end can be reached, and it can always fail."""
    for state in set(STATES) - ENDS:
        assert "failed" in leaves(state)
    reached: set[State] = {"queued"}
    while more := {to for state in reached for to in leaves(state)} - reached:
        reached |= more
    assert reached == set(STATES)


def test_only_a_checked_patch_becomes_a_pull_request() -> None:
    """There is one way to a pull request, past the tests; task and publisher may refuse."""
    assert ENTERED_FROM["pr_open"] == ("publishing",)
    assert ENTERED_FROM["refused"] == ("running", "proving", "publishing")
    assert ENTERED_FROM["publishing"] == ("proving",)


def test_patience_outlasts_heartbeats() -> None:
    """One lost heartbeat is no reason to kill a task; there is more than one attempt."""
    assert PATIENCE["running"] >= 3 * HEARTBEAT_SECONDS * 1_000
    assert MAX_ATTEMPTS > 1


def test_a_person_may_cancel_whatever_lives() -> None:
    """Every state that is no end can be cancelled, and only those."""
    assert set(ENTERED_FROM["cancelled"]) == set(LIVE) == set(STATES) - ENDS


def test_a_lost_attempt_had_a_slot() -> None:
    """Another attempt follows where a task may have been lost; a patch in hand is not redone."""
    assert ENTERED_FROM["queued"] == HOLDS_SLOT
    assert "publishing" not in HOLDS_SLOT


chances = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 1_000), chances, chances)
def test_pauses_grow_and_are_jittered(tries: int, one: float, other: float) -> None:
    """None is shorter than any earlier one could be; half is fixed; a queue can delay by it."""
    longest = min(FIRST_PAUSE_SECONDS << min(tries - 1, 10), LONGEST_PAUSE_SECONDS)
    found = pause(tries, one)
    assert longest // 2 <= found <= longest
    assert found <= pause(tries + 1, other) or longest == LONGEST_PAUSE_SECONDS
    assert pause(tries, min(one, other)) <= pause(tries, max(one, other))


def test_no_two_need_to_come_back_together() -> None:
    """Chance spreads what failed at once over half of the pause."""
    assert len({pause(3, n / 30) for n in range(30)}) == 30


@given(st.integers(1, 600))
def test_the_engine_has_most_of_the_time(minutes: int) -> None:
    """Running the tests has a third of a job's time at most, and ten minutes."""
    assert 0 < proof_seconds(minutes) <= min(600, minutes * 20)


@given(st.integers(0, 99_999))
def test_a_credential_is_recognised(attempt: int) -> None:
    """Ticket and callback credential give job and attempt back; the same each time."""
    for purpose in ("ticket", "callback"):
        made = credential(KEY, purpose, JOB, attempt)
        assert made == credential(KEY, purpose, JOB, attempt)
        assert parse_credential(KEY, purpose, made) == (JOB, attempt)


def test_a_credential_serves_one_purpose() -> None:
    """A ticket is no callback credential, nor the reverse, nor one under another key."""
    ticket = credential(KEY, "ticket", JOB, 1)
    assert parse_credential(KEY, "callback", ticket) is None
    assert parse_credential(KEY, "ticket", credential(KEY, "callback", JOB, 1)) is None
    assert parse_credential("other key", "ticket", ticket) is None


def test_a_credential_cannot_be_carried_over() -> None:
    """The proof of one attempt or job is worth nothing for another."""
    job, _, rest = credential(KEY, "callback", JOB, 1).partition(".")
    proof = rest.partition(".")[2]
    for other in (f"{job}.2.{proof}", f"{job}x.1.{proof}", f"{job}.1.{proof[:-1]}", f"{job}.01.x"):
        assert parse_credential(KEY, "callback", other) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        JOB,
        f"{JOB}.1",
        f"{JOB}.1.",
        f"{JOB}.-1.x",
        f"{JOB}.٣.x",
        f"{JOB}.{'9' * 9}.x",
    ],
)
def test_a_mangled_credential_is_none(text: str) -> None:
    """What is cut short or holds no number is no credential."""
    assert parse_credential(KEY, "ticket", text) is None


@given(st.text(st.characters()))
def test_no_text_is_a_credential_by_chance(text: str) -> None:
    """Any text at all is refused without an error."""
    assert parse_credential(KEY, "ticket", text) is None
    assert parse_credential(KEY, "ticket", f"{JOB}.1.{text}") is None


def test_a_wrong_credential_is_forbidden() -> None:
    """``held`` gives what ``parse_credential`` gives, and raises where that is None."""
    assert held(KEY, "ticket", credential(KEY, "ticket", JOB, 2)) == (JOB, 2)
    with pytest.raises(Forbidden):
        held(KEY, "callback", credential(KEY, "ticket", JOB, 2))


def test_a_message_names_its_attempt() -> None:
    """Job and attempt survive the queue."""
    assert parse_attempt(attempt_message(JOB, 3)) == (JOB, 3)


@given(st.text() | json_values.map(json.dumps))
@example('{"job": "x"}')
@example('{"job": "x", "attempt": Infinity}')
@example('{"job": "x", "attempt": null}')
@example("[" * 100_000)
def test_garbage_in_the_queue_is_named(message: str) -> None:
    """What is no message of an attempt is a ValueError, and nothing else."""
    with pytest.raises(ValueError):
        parse_attempt(message)


def test_every_attempt_has_its_own_objects() -> None:
    """No two attempts or kinds of object share a place in the bucket."""
    places = {object_key(j, a, n) for j in ("a", "b") for a in (1, 2) for n in ("patch", "log")}
    assert len(places) == 8
    assert all(place.startswith("jobs/") for place in places)


def test_a_flipped_character_is_refused() -> None:
    """No character of a credential can be changed."""
    made = credential(KEY, "callback", JOB, 3)
    for place, old in enumerate(made):
        other = made[:place] + ("0" if old != "0" else "1") + made[place + 1 :]
        assert parse_credential(KEY, "callback", other) is None
