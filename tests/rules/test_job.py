from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.job import (
    ENDS,
    ENTERED_FROM,
    HEARTBEAT_SECONDS,
    MAX_ATTEMPTS,
    PATIENCE,
    State,
    credential,
    parse_credential,
)

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
    """There is one way to a pull request, and one to a refusal."""
    assert ENTERED_FROM["pr_open"] == ENTERED_FROM["refused"] == ("publishing",)
    assert ENTERED_FROM["publishing"] == ("running",)


def test_patience_outlasts_heartbeats() -> None:
    """One lost heartbeat is no reason to kill a task; there is more than one attempt."""
    assert PATIENCE["running"] >= 3 * HEARTBEAT_SECONDS * 1_000
    assert MAX_ATTEMPTS > 1


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


def test_a_flipped_character_is_refused() -> None:
    """No character of a credential can be changed."""
    made = credential(KEY, "callback", JOB, 3)
    for place, old in enumerate(made):
        other = made[:place] + ("0" if old != "0" else "1") + made[place + 1 :]
        assert parse_credential(KEY, "callback", other) is None
