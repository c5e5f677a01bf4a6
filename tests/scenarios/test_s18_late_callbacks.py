"""S18: a task calls back when another attempt has taken over, or with what is not its own."""

from typing import Any, Literal

import pytest

from soulcaster.edges.clock import now_ms
from soulcaster.rules.job import State, credential
from tests.scenarios.attempts import history, say, stored, token
from tests.support import seeds, state
from tests.support.world import World

SPENT = {"dollars": 0.2, "read": 20, "written": 2, "calls": 2}
BODIES: dict[str, dict[str, Any]] = {
    "claim": {},
    "heartbeat": {"spent": SPENT, "wants": 4.0, "log": {"from": 0, "entries": ["late"]}},
    "proving": {"spent": SPENT},
    "finish": {"outcome": "patch", "patch_sha256": "0" * 64, "spent": SPENT, "exact": True},
}
_PURPOSES: tuple[Literal["ticket"], Literal["callback"]] = ("ticket", "callback")


def everything(world: World) -> Any:
    """All that is stored, with when the reaper looks at what."""
    due = state.redis(world, "ZRANGE", "sys:jobs", 0, -1, "WITHSCORES")
    return due, state.stored(world), state.snapshot(world)


def shown(world: World, action: str, job: str, attempt: int) -> str:
    """What the task of an attempt shows for an action."""
    return token(world, "ticket" if action == "claim" else "callback", job, attempt)


def reached(world: World, was: State, attempt: int = 1) -> str:
    """A job of a repository that can be read."""
    seeds.project(world, seeds.posts(world))
    return seeds.job(world, seeds.cluster(world), was, attempt=attempt, at=now_ms())


@pytest.mark.parametrize("was", ["queued", "starting", "running", "proving", "publishing"])
def test_s18_an_earlier_attempt_changes_nothing(world: World, was: State) -> None:
    """Whatever it says when attempt 2 has got anywhere: 409, and all stays as it was."""
    job = reached(world, was, attempt=2)
    before = everything(world)
    for action, body in BODIES.items():
        assert say(world, action, shown(world, action, job, 1), body) == 409, action
    for outcome in ("no_change", "failed", "timed_out", "refused", "over_budget"):
        assert say(world, "finish", shown(world, "finish", job, 1), {"outcome": outcome}) == 409
    assert everything(world) == before


def test_s18_an_attempt_of_the_future_changes_nothing(world: World) -> None:
    """A credential of ours for what has not begun is no use."""
    job = reached(world, "running")
    before = everything(world)
    for action, body in BODIES.items():
        assert say(world, action, shown(world, action, job, 2), body) == 409, action
    assert everything(world) == before


@pytest.mark.parametrize("action", BODIES)
def test_s18_a_credential_that_is_not_ours_is_refused(world: World, action: str) -> None:
    """Forged, of another purpose, key, attempt or job, cut short, or none: 401, nothing changes."""
    job = reached(world, "starting" if action == "claim" else "running")
    own = shown(world, action, job, 1)
    mine, other = _PURPOSES if action == "claim" else _PURPOSES[::-1]
    foreign = credential("k" * 64, mine, job, 1)
    flipped = own[:-1] + ("0" if own[-1] != "0" else "1")
    renamed = own.replace(job, f"job_{seeds.PROJECT}_another")
    later = own.replace(".1.", ".2.")
    before = everything(world)
    for forged in (token(world, other, job), foreign, flipped, renamed, later, own[:-1], ""):
        assert say(world, action, forged, BODIES[action]) == 401, forged
    assert everything(world) == before


def test_s18_a_ticket_is_good_once(world: World) -> None:
    """Whoever reads it in the task's description later gets nothing for it."""
    job = reached(world, "starting")
    ticket = token(world, "ticket", job)
    assert say(world, "claim", ticket, {}) == 200
    before = everything(world)
    assert say(world, "claim", ticket, {}) == 409
    assert everything(world) == before


def test_s18_what_is_said_again_counts_once(world: World) -> None:
    """Each call, repeated as its answer was lost, is answered alike and has one effect."""
    job = reached(world, "running")
    callback = token(world, "callback", job)
    for action, status in (("heartbeat", 200), ("proving", 200), ("finish", 202)):
        left = []
        for _ in range(3):
            assert say(world, action, callback, BODIES[action]) == status
            left.append(state.snapshot(world))
        assert left == [left[0]] * 3, action
    steps = ["queued", "starting", "running", "proving", "publishing"]
    assert [step for step, _ in history(world, job)] == steps
    found = stored(world, job)
    assert (found["spent"], found["granted"]) == ("200000", "4000000")
    assert state.redis(world, "LLEN", f"p:{seeds.PROJECT}:job:{job}:log:1") == 1


def test_s18_a_patch_in_hand_is_not_taken_back(world: World) -> None:
    """After its report a task has nothing more to say: 409 for whatever else it says."""
    job = reached(world, "publishing")
    callback, before = token(world, "callback", job), everything(world)
    for action in ("heartbeat", "proving"):
        assert say(world, action, callback, BODIES[action]) == 409
    for outcome in ("no_change", "failed", "timed_out", "refused", "over_budget"):
        assert say(world, "finish", callback, {"outcome": outcome}) == 409, outcome
    assert everything(world) == before


def test_s18_a_cancelled_jobs_task_is_told_to_stop(world: World) -> None:
    """By whatever it says next; what it says is not kept."""
    job = reached(world, "running")
    assert world.api("POST", f"/jobs/{job}/cancel").status < 300
    before = everything(world)
    for action, body in BODIES.items():
        assert say(world, action, shown(world, action, job, 1), body) == 409, action
    assert everything(world) == before
