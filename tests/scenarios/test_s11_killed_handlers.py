"""S11: a handler is killed anywhere, is asked again, and nobody can tell."""

import pytest

from tests.scenarios import feedback_cases, fix_cases, plan_cases, reap_cases
from tests.scenarios.case import Case, summary
from tests.support import state
from tests.support.state import State
from tests.support.tap import Call, Fault
from tests.support.world import World

CASES = (
    *feedback_cases.CASES,
    *fix_cases.CASES,
    *reap_cases.CASES,
    *plan_cases.CASES,
)


def undisturbed(world: World, case: Case) -> tuple[State, list[Call]]:
    """What a run without a fault leaves, and the outside calls that it made."""
    state.clear(world)
    repository = case.arrange(world)
    with world.tap.recording() as calls, world.cold():
        done = case.deliver(world)
    assert done
    case.recover(world, done)
    left = state.snapshot(world, repository)
    assert summary(left) == case.ends
    return case.view(left), calls


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_s11_killed_at_any_outside_call_and_asked_again_ends_the_same(
    world: World, case: Case, applied: bool, subtests: pytest.Subtests
) -> None:
    """Killed before or after each call it makes, then asked again: the state is the same."""
    expected, calls = undisturbed(world, case)
    assert calls
    for number, call in enumerate(calls, 1):
        with subtests.test(f"{number}: {call}"):
            state.clear(world)
            repository = case.arrange(world)
            with world.tap.faulty(Fault("kill", applied, number=number)), world.cold():
                assert not case.deliver(world), "it was not killed"
            case.recover(world, case.deliver(world))
            assert case.view(state.snapshot(world, repository)) == expected
