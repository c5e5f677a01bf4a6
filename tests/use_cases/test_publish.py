"""What must not become a pull request, and what one is called."""

import pytest

from soulcaster.edges.bucket import MAX_OBJECT_BYTES
from soulcaster.edges.job_store import JobStore
from tests.support import seeds, state
from tests.support.tap import Fault
from tests.use_cases.conftest import CHANGE, Fixing


def publishing(fixing: Fixing, patch_sha256: str, identifier: str, title: str = "") -> None:
    """A job whose agent says that it has a patch."""
    seeds.job(
        fixing.world,
        fixing.cluster,
        "publishing",
        identifier=identifier,
        patch_sha256=patch_sha256,
        title=title,
    )


def refused(fixing: Fixing, job: str) -> str:
    """Publish what must be refused; returns the reason."""
    fixing.publish(job)
    outcome, reason = fixing.outcome(job)
    assert outcome == "refused"
    assert (fixing.branches, fixing.pulls) == (["refs/heads/main"], [])
    return reason


def test_only_the_reported_patch_is_published(fixing: Fixing) -> None:
    """What was put in its place afterwards, or reported without a hash, is not."""
    for claimed in ("0" * 64, ""):
        job = seeds.job_id(fixing.world)
        fixing.upload(job, fixing.patch(fixing.base))
        publishing(fixing, claimed, job)
        assert "not the one that the task reported" in refused(fixing, job)


def test_a_patch_that_is_not_there_is_refused(fixing: Fixing) -> None:
    """A task that reported one and uploaded none has none."""
    job = seeds.job_id(fixing.world)
    publishing(fixing, "0" * 64, job)
    assert "there is none" in refused(fixing, job)


def test_a_patch_of_a_foreign_commit_is_refused(fixing: Fixing) -> None:
    """Its whole tree would come along unchecked: a commit that is on no branch is an example."""
    path = f"/repos/{fixing.repository}/git"
    base = state.github(fixing.world, "GET", f"{path}/commits/{fixing.base}")
    entry = {**CHANGE, "type": "blob", "path": ".github/workflows/x.yml"}
    body = {"base_tree": base["tree"]["sha"], "tree": [entry]}
    tree = state.github(fixing.world, "POST", f"{path}/trees", json=body)
    body = {"message": "m", "tree": tree["sha"], "parents": [base["sha"]]}
    loose = state.github(fixing.world, "POST", f"{path}/commits", json=body)
    job = seeds.job_id(fixing.world)
    publishing(fixing, fixing.upload(job, fixing.patch(loose["sha"])), job)
    assert "a commit that is not in main" in refused(fixing, job)


def test_a_patch_of_no_commit_fails(fixing: Fixing) -> None:
    """What GitHub refuses for good ends the job, with GitHub's words."""
    job = seeds.job_id(fixing.world)
    publishing(fixing, fixing.upload(job, fixing.patch("0" * 40)), job)
    fixing.publish(job)
    assert fixing.outcome(job) == (
        "failed",
        "GitHub refused the pull request: GitHub: 404: Not Found",
    )


def test_a_huge_patch_is_refused_unread(fixing: Fixing) -> None:
    """It is no outage that would pass: the message must not come again and again."""
    job = seeds.job_id(fixing.world)
    publishing(fixing, fixing.upload(job, b"x" * (MAX_OBJECT_BYTES + 1)), job)
    assert "too large" in refused(fixing, job)


@pytest.mark.parametrize("lost", [False, True])
def test_what_the_agent_was_asked_is_the_title(fixing: Fixing, lost: bool) -> None:
    """A cluster that is named anew meanwhile changes neither title nor commit, also when a lost
    answer has the publisher run twice.
    """
    world, job = fixing.world, seeds.job_id(fixing.world)
    publishing(fixing, fixing.upload(job, fixing.patch(fixing.base)), job, title="As it was")
    if lost:
        with world.tap.faulty(Fault("close", applied=True, system="github", number=6)):
            world.send("PublishQueue", f'{{"job": "{job}", "attempt": 1}}')
            delivery = world.deliver("PublishQueue")
            assert delivery is not None
            assert delivery.failed
        state.redis(world, "HSET", f"p:larder:cl:{fixing.cluster}", "name", "Renamed")
    fixing.publish(job)
    (pull,) = fixing.pulls
    assert (pull["title"], pull["draft"]) == ("Fix: As it was", True)
    path = f"/repos/{fixing.repository}/git/commits/{pull['head']['sha']}"
    message = state.github(world, "GET", path)["message"]
    assert message.startswith("Fix: As it was\n\nCounted.\n")
    shown = JobStore(seeds.redis(world)).read(job)
    assert shown is not None
    assert (shown["state"], shown["pull_request"]["number"]) == ("pr_open", pull["number"])
