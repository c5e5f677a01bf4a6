"""The product on real emulators, with a project whose repository nobody has used."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from local import vector
from local.serve import running
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.redis import Redis
from soulcaster.edges.vector import Vectors
from soulcaster.rules.job import attempt_message, credential, object_key
from tests.support import grouping, seeds, state
from tests.support.grouping import Working
from tests.support.world import World

CHANGE = {"path": "larder.py", "mode": "100644", "content": "def shelves():\n    return 3\n"}


@dataclass(frozen=True)
class Fixing:
    """A cluster whose problem is to be fixed in ``repository``."""

    world: World
    repository: str
    cluster: str

    @property
    def base(self) -> str:
        """The head of the base branch."""
        path = f"/repos/{self.repository}/git/ref/heads/main"
        return str(state.github(self.world, "GET", path)["object"]["sha"])

    @property
    def branches(self) -> list[str]:
        """All of the repository's."""
        path = f"/repos/{self.repository}/git/matching-refs/heads/"
        return [each["ref"] for each in state.github(self.world, "GET", path)]

    @property
    def pulls(self) -> list[dict[str, Any]]:
        """All pull requests."""
        found: list[dict[str, Any]] = state.github(
            self.world, "GET", f"/repos/{self.repository}/pulls", params={"state": "all"}
        )
        return found

    def stored(self, job: str) -> dict[str, Any]:
        """The job as it is stored."""
        return state.records(self.world, "job")[job]

    def outcome(self, job: str) -> tuple[str, str]:
        """The job's state and the reason for it."""
        shown = JobStore(seeds.redis(self.world)).read(job)
        assert shown is not None
        return shown["state"], shown["reason"]

    def upload(self, job: str, body: bytes) -> str:
        """Put what a task of the first attempt would; returns its SHA-256."""
        bucket = self.world.stack.buckets[0].name
        self.world.s3.put_object(Bucket=bucket, Key=object_key(job, 1, "patch"), Body=body)
        return sha256(body).hexdigest()

    def patch(self, base: str) -> bytes:
        """A patch of one file against the commit ``base``."""
        file = {**CHANGE, "deleted": False, "binary": False}
        return json.dumps(
            {"base": base, "summary": "Counted.", "diff": "", "files": [file]}
        ).encode()

    def publish(self, job: str) -> None:
        """Deliver the message that a finished attempt leaves."""
        self.world.send("PublishQueue", attempt_message(job, 1))
        self.world.drain("PublishQueue")

    def ask(self, action: str, body: Mapping[str, Any], token: str = "") -> tuple[int, Any]:
        """What the task's call is answered: status and body."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        raw = json.dumps(body).encode()
        answer = self.world.request("POST", f"/agent/{action}", body=raw, headers=headers)
        return answer.status, json.loads(answer.body)

    def ticket(self, job: str, attempt: int = 1) -> str:
        """What the task of an attempt is started with."""
        return credential(self.world.secrets["TicketKey"], "ticket", job, attempt)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """The address of an empty vector index."""
    with running(vector.app(tmp_path, grouping.TOKEN, grouping.WIDTH)) as url:
        yield url


@pytest.fixture
def working(redis: Redis, index: str) -> Working:
    """A project without feedback."""
    return Working(redis, Vectors(index, grouping.TOKEN, "topics", grouping.WIDTH))


@pytest.fixture
def fixing(world: World) -> Fixing:
    """A project, its repository and a cluster."""
    repository = seeds.repository(world)
    seeds.project(world, repository)
    return Fixing(world, repository, seeds.cluster(world))
