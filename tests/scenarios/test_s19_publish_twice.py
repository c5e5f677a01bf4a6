"""S19: the publisher is killed anywhere, runs again, and there is one branch and one request."""

import pytest

from soulcaster.rules.job import attempt_message
from tests.support import seeds, state
from tests.support.tap import Fault
from tests.support.world import World
from tests.use_cases.publishing import CONVENTIONAL, SENTENCES, Ready, proof


def arranged(world: World) -> tuple[Ready, str]:
    """A patch that is to become a pull request of a repository with habits."""
    state.clear(world)
    repository = seeds.repository(world)
    seeds.project(world, repository)
    ready = Ready(world, repository, seeds.cluster(world))
    ready.commits(CONVENTIONAL)
    job = ready.job(shown=proof())
    world.send("PublishQueue", attempt_message(job, 1))
    return ready, job


def assert_one(world: World, ready: Ready, job: str) -> None:
    """One branch with one commit on the base, one draft, and a job that knows it."""
    base = f"/repos/{ready.repository}"
    refs = state.github(world, "GET", f"{base}/git/matching-refs/heads/")
    (branch,) = [ref for ref in refs if ref["ref"] != "refs/heads/main"]
    (pull,) = state.github(world, "GET", f"{base}/pulls", params={"state": "all"})
    assert (pull["title"], pull["draft"]) == ("fix: import loses the last line", True)
    assert f"refs/heads/{pull['head']['ref']}" == branch["ref"]
    query = {"sha": branch["object"]["sha"], "per_page": 3}
    newest, before, *_ = state.github(world, "GET", f"{base}/commits", params=query)
    assert newest["commit"]["message"].startswith(f"{pull['title']}\n")
    assert before["commit"]["message"].strip() == CONVENTIONAL[-1]
    stored = state.records(world, "job")[job]
    assert (stored["state"], stored["pr_number"]) == ("pr_open", str(pull["number"]))
    assert stored["commit"] == branch["object"]["sha"]


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_s19_killed_at_each_outside_call_and_run_again_makes_one(
    world: World, applied: bool, subtests: pytest.Subtests
) -> None:
    """Also when people push meanwhile in another manner, and when it is delivered once more."""
    ready, job = arranged(world)
    with world.tap.recording() as calls, world.cold():
        world.drain("PublishQueue")
    assert_one(world, ready, job)
    assert len(calls) > 10
    for number, call in enumerate(calls, 1):
        with subtests.test(f"{number}: {call}"):
            ready, job = arranged(world)
            with world.tap.faulty(Fault("kill", applied, number=number)), world.cold():
                delivery = world.deliver("PublishQueue")
                assert delivery is not None
                assert delivery.failed, "it was not killed"
            if state.records(world, "job")[job].get("opening"):
                ready.commits(SENTENCES)
            world.drain("PublishQueue")
            assert_one(world, ready, job)
    with world.tap.recording() as again:
        world.send("PublishQueue", attempt_message(job, 1))
        world.drain("PublishQueue")
    assert [call for call in again if call.system == "github"] == []
    assert_one(world, ready, job)
