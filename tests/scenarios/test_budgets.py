"""The table of budgets in the design: outside requests, counted."""

import pytest

from tests.support import budgets, seeds, state
from tests.support.budgets import Step
from tests.support.tap import Fault
from tests.support.world import World

SIZED = [
    pytest.param(step, n, id=f"{step.name} of {n}") for step in budgets.STEPS for n in step.sizes
]


@pytest.mark.parametrize(("step", "n"), SIZED)
def test_a_step_keeps_its_budget_of_outside_requests(world: World, step: Step, n: int) -> None:
    """A warm instance asks each system no more often than the design allows, and no other."""
    row = budgets.measured(world, step, n)
    assert not row.over, row.line()
    assert not row.other


def test_clustering_cut_off_before_its_commit_keeps_its_budget_when_it_comes_again(
    world: World,
) -> None:
    """It asks the index for more neighbours, and not more often."""
    budgets.with_copies(world, 0)
    state.redis(world, "DEL", "p:larder:recent", "p:larder:recent:vectors")
    seeds.feedback(world, budgets.titles(5))
    commit = Fault("kill", system="redis", number=3)
    with world.tap.faulty(commit), world.cold():
        assert world.deliver("ClusterQueue")
    with world.tap.recording() as calls:
        budgets.consume("ClusterQueue")(world)
    row = budgets.row("cluster again", 5, calls, budgets.clustering(world, 5))
    assert row.used["vector"] == 3
    assert not row.over, row.line()
