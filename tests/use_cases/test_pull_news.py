"""From a click on GitHub to the job and its cluster: the whole way of a webhook."""

import queue
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.serve import running
from tests.support import seeds, state
from tests.use_cases.conftest import Fixing
from tests.use_cases.publishing import Ready, interrupted, proof

DEADLINE_SECONDS = 20

type Sent = tuple[dict[str, str], bytes]


class Hooked:
    """A job with an open pull request, whose webhook keeps what it sends until it is carried on."""

    def __init__(self, fixing: Fixing, address: str, kept: "queue.Queue[Sent]") -> None:
        self.fixing, self.world, self._kept = fixing, fixing.world, kept
        ready = Ready(fixing.world, fixing.repository, fixing.cluster)
        self.job = ready.job(shown=proof())
        fixing.publish(self.job)
        (self.pull,) = fixing.pulls
        config = {"url": address, "content_type": "json", "secret": seeds.SECRETS["github"]}
        hook = {"config": config, "events": ["pull_request", "check_suite"]}
        self.github("POST", "/hooks", json=hook)
        assert self.carry(1) == [200]  # the ping

    def github(self, method: str, path: str, **given: Any) -> Any:
        """What GitHub answers a person about the repository."""
        return state.github(self.world, method, f"/repos/{self.fixing.repository}{path}", **given)

    def local(self, path: str, **body: Any) -> Any:
        """What GitHub has no call for."""
        whole = {"repo": self.fixing.repository, **body}
        return state.github(self.world, "POST", f"/_local/{path}", json=whole)

    def merge(self) -> None:
        """Mark it as ready, and merge it: two events."""
        self.local("pulls/ready", number=self.pull["number"])
        self.github("PUT", f"/pulls/{self.pull['number']}/merge", json={})

    def close(self) -> None:
        """Close it unmerged."""
        self.github("PATCH", f"/pulls/{self.pull['number']}", json={"state": "closed"})

    def carry(self, count: int, *, backwards: bool = False) -> list[int]:
        """Bring the next deliveries to the product's door; returns what it answered."""
        sent = [self._kept.get(timeout=DEADLINE_SECONDS) for _ in range(count)]
        answers = []
        for headers, body in sent[::-1] if backwards else sent:
            path = seeds.webhook("github")
            answer = self.world.request("POST", path, body=body, headers=headers)
            answers.append(answer.status)
        self.world.drain("FeedbackQueue")
        return answers

    def shown(self) -> dict[str, Any]:
        """The cluster as people see it."""
        found: dict[str, Any] = self.world.made("GET", f"/clusters/{self.fixing.cluster}")
        return found


@pytest.fixture
def hooked(fixing: Fixing) -> Iterator[Hooked]:
    """A job with an open pull request."""
    kept: queue.Queue[Sent] = queue.Queue()

    async def keep(request: Request) -> Response:
        kept.put((dict(request.headers), await request.body()))
        return Response(status_code=202)

    with running(Starlette(routes=[Route("/", keep, methods=["POST"])])) as url:
        yield Hooked(fixing, f"{url}/", kept)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_merge_resolves_the_cluster(hooked: Hooked, backwards: bool) -> None:
    """In whichever order GitHub's two events arrive."""
    hooked.merge()
    assert hooked.carry(2, backwards=backwards) == [202, 202]
    stored = hooked.fixing.stored(hooked.job)
    assert (stored["state"], stored["pr_state"], stored["pr_draft"]) == ("pr_open", "merged", "0")
    shown = hooked.shown()
    assert (shown["status"], shown["resolved_pr"]) == ("resolved", stored["pr_url"])


def test_a_merge_before_the_job_knows_of_it_counts(fixing: Fixing) -> None:
    """The publisher dies after it has opened it, a person merges, the publisher runs again."""
    world, path = fixing.world, f"/repos/{fixing.repository}/pulls"
    job = Ready(world, fixing.repository, fixing.cluster).job()
    interrupted(world, job, 10)
    (pull,) = fixing.pulls
    ready = {"repo": fixing.repository, "number": pull["number"]}
    state.github(world, "POST", "/_local/pulls/ready", json=ready)
    state.github(world, "PUT", f"{path}/{pull['number']}/merge", json={})
    fixing.publish(job)
    assert fixing.outcome(job) == ("pr_open", f"pull request #{pull['number']} is merged")
    assert fixing.stored(job)["pr_state"] == "merged"
    shown = world.made("GET", f"/clusters/{fixing.cluster}")
    assert (shown["status"], shown["resolved_pr"]) == ("resolved", fixing.stored(job)["pr_url"])


def test_closed_unmerged_is_said_of_both(hooked: Hooked) -> None:
    """The problem is as open as before, and has no open pull request."""
    before = state.records(hooked.world, "cl")[hooked.fixing.cluster]
    hooked.close()
    assert hooked.carry(1) == [202]
    assert hooked.fixing.stored(hooked.job)["pr_state"] == "closed"
    after = state.records(hooked.world, "cl")[hooked.fixing.cluster]
    assert after == {name: value for name, value in before.items() if name != "pull"}
    assert hooked.shown()["status"] == "open"


def test_failed_checks_are_said(hooked: Hooked) -> None:
    """And that they pass in the end."""
    sha = hooked.pull["head"]["sha"]
    for number, (conclusion, checks) in enumerate([("success", "passing"), ("failure", "failing")]):
        hooked.local("checks", sha=sha, conclusion=conclusion, app=f"ci-{number}")
        assert hooked.carry(1) == [202]
        assert hooked.fixing.stored(hooked.job)["pr_checks"] == checks


def test_a_forged_merge_is_refused(hooked: Hooked) -> None:
    """Whoever does not know the secret resolves nothing."""
    hooked.merge()
    for _ in range(2):
        headers, body = hooked._kept.get(timeout=DEADLINE_SECONDS)
        forged = {**headers, "x-hub-signature-256": "sha256=" + "0" * 64}
        path = seeds.webhook("github")
        assert hooked.world.request("POST", path, body=body, headers=forged).status == 401
    hooked.world.drain("FeedbackQueue")
    assert hooked.shown()["status"] == "open"
