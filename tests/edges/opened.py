"""A job that has opened a pull request, and what GitHub says of it then."""

import itertools
import json
from dataclasses import dataclass

from soulcaster.edges.cluster_list import ClusterList, Status
from soulcaster.edges.pull_store import PullStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.pull_news import News
from tests.edges.clusters import clustered
from tests.edges.servers import command, everything
from tests.rules.pulls import HEAD
from tests.rules.samples import NOW, feedback

URL = "https://github.example/acme/larder/pull/7"
JOB = "job_larder_0001"
HOUR = 60 * 60 * 1000


@dataclass(frozen=True)
class Stored:
    """A cluster with a job that has opened pull request 7."""

    redis: Redis
    url: str
    cluster: str

    def tell(self, *news: News) -> int:
        """Apply news; how many were of pull requests of ours."""
        return PullStore(self.redis).tell("larder", news)

    def job(self, identifier: str = JOB) -> dict[str, str]:
        """A job's record."""
        found: dict[str, str] = everything(self.url)[f"p:larder:job:{identifier}"]
        return found

    def history(self) -> list[tuple[int, str]]:
        """When each thing happened to the job since its pull request was opened, and what."""
        lines = [json.loads(line) for line in everything(self.url)[f"p:larder:job:{JOB}:history"]]
        assert {(line["state"], line["attempt"]) for line in lines[1:]} <= {("pr_open", 2)}
        return [(int(line["at"]) - NOW, line["reason"]) for line in lines[2:]]

    def pull(self, cluster: str = "") -> str | None:
        """The job that the cluster's open pull request is of."""
        found: str | None = command(
            self.url, "HGET", f"p:larder:cl:{cluster or self.cluster}", "pull"
        )
        return found

    def status(self, status: Status, now: int = NOW) -> None:
        """A person says what the cluster is."""
        assert ClusterList(self.redis).set_status("larder", self.cluster, status, "ada", now)

    def opened(self, cluster: str, number: int = 7, job: str = JOB) -> None:
        """Leave what the publisher leaves behind: a job of ``cluster`` with a pull request."""
        fields = {
            "id": job,
            "cluster": cluster,
            "state": "pr_open",
            "attempt": "2",
            "created": str(NOW - HOUR + number),
            "updated": str(NOW),
            "asked_by": "ada",
            "commit": HEAD,
            "pr_url": URL,
            "pr_number": str(number),
            "pr_state": "open",
            "pr_draft": "1",
        }
        words = itertools.chain.from_iterable(fields.items())
        command(self.url, "HSET", f"p:larder:job:{job}", *words)
        for state, reason in (("publishing", "a patch"), ("pr_open", "is open")):
            line = {"state": state, "at": str(NOW - 1), "attempt": 2, "reason": reason}
            command(self.url, "RPUSH", f"p:larder:job:{job}:history", json.dumps(line))
        command(self.url, "RPUSH", f"p:larder:cl:{cluster}:jobs", job)
        command(self.url, "HSET", "p:larder:pulls", f"acme/larder#{number}", job)
        command(self.url, "HSET", f"p:larder:cl:{cluster}", "pull", job)


def opened(redis: Redis, url: str) -> Stored:
    """A cluster of two items, and its job."""
    found = Stored(redis, url, clustered(redis, feedback(), feedback(external_id="issue:2")))
    found.opened(found.cluster)
    return found
