"""What surrounds the jobs of S15 in this process: ECS, queues, GitHub and the bucket.

They keep the promises that the product relies on, and lose replies when they are told to. The real
edges and emulators are in the other scenarios; here thousands of steps have to take a minute.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from soulcaster.edges.github import DraftPull, FileChange, GitHubError
from soulcaster.edges.queues import QueueError
from soulcaster.edges.redis import Redis, Unreached
from soulcaster.edges.tasks import TaskError

System = Literal["redis", "sqs", "ecs", "github"]
BASE = "ab" * 20
_CHANGE = {"path": "a.py", "mode": "100644", "content": "1\n", "deleted": False, "binary": False}
PATCH = json.dumps({"base": BASE, "summary": "", "diff": "", "files": [_CHANGE]}).encode()
PATCH_SHA256 = sha256(PATCH).hexdigest()


@dataclass
class Replies:
    """Says which call's reply is lost, after it has had its effect."""

    _system: System | None = None
    _left: int = 0

    @contextmanager
    def losing(self, lost: tuple[System, int] | None) -> Iterator[None]:
        """Lose the reply to the n-th call of a system in this block; None: lose none."""
        if lost is not None:
            self._system, self._left = lost
        try:
            yield
        finally:
            self._system = None

    def passes(self, system: System) -> None:
        """To be called when a call had its effect; raises the edge's error when it is lost."""
        if system == self._system:
            self._left -= 1
            if self._left == 0:
                raise _error(system)


def _error(system: System) -> Exception:
    said = "its reply was lost"
    match system:
        case "redis":
            return Unreached(said)
        case "sqs":
            return QueueError(said)
        case "ecs":
            return TaskError(said)
        case "github":
            return GitHubError(0, said)


@dataclass
class LossyRedis:
    """The product's client of a real Valkey."""

    redis: Redis
    replies: Replies

    def run(self, script: str, *args: str | float) -> Any:
        """Run a script."""
        answer = self.redis.run(script, *args)
        self.replies.passes("redis")
        return answer


@dataclass
class Line:
    """A queue: messages stay until they are taken out, and no order is promised."""

    replies: Replies
    messages: list[str] = field(default_factory=list)

    def send(self, body: str, pause: int = 0) -> None:
        """Whoever delivers does not wait for the pause: early is one more disorder."""
        assert 0 <= pause <= 900
        self.messages.append(body)
        self.replies.passes("sqs")

    def send_all(self, bodies: Sequence[str]) -> None:
        """Several at once."""
        for body in bodies:
            self.send(body)


@dataclass
class Task:
    """A task as ECS knows it, and what its process knows: its callback credential, its money in
    micro-dollars, and whether it has come to its end.
    """

    name: str
    started_by: str
    ticket: str
    alive: bool = True
    token: str = ""
    granted: int = 0
    spent: int = 0
    done: bool = False

    @property
    def job(self) -> str:
        """The job that it was started for."""
        return self.started_by.partition("/")[0]

    @property
    def attempt(self) -> int:
        """The attempt that it was started for."""
        return int(self.started_by.partition("/")[2])

    def stopped(self) -> dict[str, Any]:
        """The ``detail`` of its last event."""
        said = {
            "lastStatus": "STOPPED",
            "stoppedReason": "ended",
            "containers": [{"exitCode": 137}],
        }
        return {"startedBy": self.started_by, **said}


@dataclass
class Cloud:
    """ECS: a client token makes one task, however often it is used.

    ``events``: the tasks whose end it has still to tell of.
    """

    replies: Replies
    tasks: list[Task] = field(default_factory=list)
    events: list[Task] = field(default_factory=list)

    def start(self, token: str, started_by: str, environment: dict[str, str]) -> str:
        """The ARN of the task that the token made, dead or alive."""
        found = [task for task in self.tasks if task.name == token]
        ticket = environment["SOULCASTER_TICKET"]
        if not found:
            found = [Task(token, started_by, ticket)]
            self.tasks += found
        assert (found[0].started_by, found[0].ticket) == (started_by, ticket)
        self.replies.passes("ecs")
        return f"arn:{token}"

    def stop(self, task: str, reason: str) -> None:
        """One that has ended is fine."""
        for each in self.tasks:
            if f"arn:{each.name}" == task:
                self.end(each)
        self.replies.passes("ecs")

    def end(self, task: Task) -> None:
        """The task ends, for whatever reason."""
        if task.alive:
            task.alive = False
            self.events.append(task)


@dataclass
class Hub:
    """GitHub: a branch is at one commit, and has one pull request once somebody opens it."""

    replies: Replies
    branches: dict[str, str] = field(default_factory=dict)
    pulls: list[str] = field(default_factory=list)

    def installation_token(self, owner_repo: str, permissions: object) -> str:
        """Any."""
        return f"a token for {owner_repo}"

    def contains(self, token: str, repo: str, branch: str, sha: str) -> bool:
        """Every patch is based on a commit of the base branch."""
        return sha == BASE

    def subjects(self, token: str, repo: str, sha: str) -> list[str]:
        """Nobody has committed."""
        return []

    def commit_files(
        self,
        token: str,
        repo: str,
        base_sha: str,
        files: Sequence[FileChange],
        *,
        message: str,
        author_date: str,
    ) -> str:
        """The same arguments always make the same commit."""
        made = sha256(repr((base_sha, files, message, author_date)).encode()).hexdigest()[:40]
        self.replies.passes("github")
        return made

    def ensure_branch(self, token: str, repo: str, branch: str, sha: str) -> None:
        """Make the branch, which is at no other commit."""
        assert self.branches.setdefault(branch, sha) == sha, "it was another commit before"
        self.replies.passes("github")

    def ensure_draft_pull(
        self, token: str, repo: str, branch: str, *, base: str, title: str, body: str
    ) -> DraftPull:
        """Open a pull request unless there is one."""
        if branch not in self.pulls:
            self.pulls.append(branch)
        self.replies.passes("github")
        return self._pull(branch)

    def pull_of(self, token: str, repo: str, branch: str) -> DraftPull | None:
        """The branch's pull request."""
        return self._pull(branch) if branch in self.pulls else None

    def _pull(self, branch: str) -> DraftPull:
        number = self.pulls.index(branch) + 1
        url = f"https://github.example/acme/larder/pull/{number}"
        return DraftPull(
            number=number, url=url, head=self.branches[branch], state="open", draft=True, at=1
        )


class Patches:
    """A bucket into which every task has uploaded the same patch."""

    def upload_url(self, key: str, seconds: int) -> str:
        """An address."""
        return f"https://bucket.example/{key}"

    def read(self, key: str) -> bytes | None:
        """The patch, and no proof."""
        return PATCH if key.endswith("/patch") else None
