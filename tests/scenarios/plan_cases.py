"""What happens to a cluster before its fix, a plan, and after it, news of the pull request."""

import json

from soulcaster.edges.job_store import JobStore
from soulcaster.rules import ids
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.source import Source
from tests.rules.pulls import pull_event
from tests.scenarios.case import Case, from_queue
from tests.scenarios.fix_cases import ONE, clustered
from tests.support import seeds
from tests.support.world import World


def draft_plan(world: World) -> bool:
    """A person's click, who clicks again after an error."""
    return world.api("POST", f"/clusters/{world.kept['cluster']}/plan").status in (200, 201)


def merged(world: World) -> str:
    """A job whose pull request somebody has merged, as GitHub's webhook says."""
    clustered(world)
    job = seeds.job(world, world.kept["cluster"], "publishing")
    pull = {"pr_url": "https://github.example/acme/larder/pull/7", "pr_number": "7"}
    state = {"pr_state": "open", "pr_draft": "1", "commit": "0" * 40}
    jobs = JobStore(seeds.redis(world))
    moved = jobs.move(job, 1, "pr_open", seeds.THEN, "it is open", {**pull, **state})
    assert moved.outcome == "moved"
    identifier = ids.source_id(seeds.PROJECT, "github")
    delivery = Delivery(
        project=seeds.PROJECT,
        source_id=identifier,
        source=Source(id=identifier, project=seeds.PROJECT, kind="github", name="github"),
        headers={"x-github-event": "pull_request"},
        body=json.dumps(pull_event("closed")).encode(),
        received_at=seeds.THEN + 1,
    )
    world.send("FeedbackQueue", delivery.message())
    return ""


CASES = (
    Case("plan", clustered, draft_plan, {**ONE, "plans": 1}),
    Case("news", merged, from_queue("FeedbackQueue"), {**ONE, "job:pr_open": 1, "resolved": 1}),
)
