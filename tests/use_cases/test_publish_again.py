"""What happens to a job while it is being published, and what a second run makes of it."""

from collections.abc import Callable

import pytest

from local.parameters import REGION
from soulcaster.edges.bucket import Bucket
from soulcaster.edges.clock import now_ms
from soulcaster.edges.github import GitHub
from soulcaster.edges.job_store import JobStore
from soulcaster.use_cases.publish import publish
from tests.support import seeds, state
from tests.use_cases.conftest import Fixing
from tests.use_cases.publishing import CONVENTIONAL, SENTENCES, Ready, interrupted, proof


@pytest.fixture
def ready(fixing: Fixing) -> Ready:
    """A cluster with a repository."""
    return Ready(fixing.world, fixing.repository, fixing.cluster)


def test_a_title_that_was_chosen_stays(fixing: Fixing, ready: Ready) -> None:
    """People push and rename while an answer is lost: title and commit are still the first ones."""
    ready.commits(CONVENTIONAL)
    job = ready.job()
    interrupted(fixing.world, job, 7)
    ready.commits(SENTENCES)
    state.redis(fixing.world, "HSET", f"p:larder:cl:{fixing.cluster}", "name", "Renamed")
    fixing.publish(job)
    (pull,) = fixing.pulls
    assert pull["title"] == "fix: import loses the last line"


def close(fixing: Fixing, ready: Ready) -> str:
    """A person closes the pull request."""
    (pull,) = fixing.pulls
    path = f"/repos/{fixing.repository}/pulls/{pull['number']}"
    state.github(fixing.world, "PATCH", path, json={"state": "closed"})
    return "closed"


def go_on(fixing: Fixing, ready: Ready) -> str:
    """A person pushes to the branch."""
    (pull,) = fixing.pulls
    ready.commits(["Count jars"], pull["head"]["ref"])
    return "open"


@pytest.mark.parametrize("act", [close, go_on])
def test_what_people_did_meanwhile_stays(
    fixing: Fixing, ready: Ready, act: Callable[[Fixing, Ready], str]
) -> None:
    """Between two runs of the publisher the pull request is theirs: it is found as it is."""
    job = ready.job()
    interrupted(fixing.world, job, 10)
    left = act(fixing, ready)
    fixing.publish(job)
    (pull,) = fixing.pulls
    stored = fixing.stored(job)
    assert (stored["state"], stored["pr_state"]) == ("pr_open", left)
    assert stored["commit"] == pull["head"]["sha"]


def test_settings_that_change_meanwhile_come_too_late(fixing: Fixing, ready: Ready) -> None:
    """A job that has an open pull request is not called refused."""
    job = ready.job(shown=proof())
    interrupted(fixing.world, job, 10)
    ready.settings(publishes=(), patch_bytes=1)
    fixing.publish(job)
    assert fixing.outcome(job)[0] == "pr_open"


def test_a_job_that_was_cancelled_meanwhile_writes_nothing(
    fixing: Fixing, ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the publisher says that it writes, a person may still end it."""
    world, jobs = fixing.world, JobStore(seeds.redis(fixing.world))
    for name, value in {
        "AWS_ENDPOINT_URL_S3": world.direct.s3,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": world.credentials.aws_secret,
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)

    job = ready.job()

    class Slow(GitHub):
        """Answers after a person has changed their mind."""

        def contains(self, token: str, repo: str, branch: str, sha: str) -> bool:
            """Cancel, then answer."""
            assert jobs.move(job, 1, "cancelled", now_ms(), "a person").outcome == "moved"
            return super().contains(token, repo, branch, sha)

    slow = Slow(world.direct.github, "1", world.credentials.github_private_key)
    bucket = Bucket(world.stack.buckets[0].name)
    assert publish(job, 1, jobs=jobs, bucket=bucket, github=lambda: slow, now=now_ms()) is None
    assert fixing.outcome(job) == ("cancelled", "a person")
    assert (fixing.branches, fixing.pulls) == (["refs/heads/main"], [])
