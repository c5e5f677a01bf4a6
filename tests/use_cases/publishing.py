"""Jobs whose agent says that it has a patch, as the publisher finds them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from soulcaster.edges.project_store import ProjectStore
from soulcaster.rules.job import attempt_message, object_key
from soulcaster.rules.project import Project
from tests.support import seeds, state
from tests.support.tap import Fault
from tests.support.world import World

CHANGE = {
    "path": "larder.py",
    "mode": "100644",
    "content": "def shelves():\n    return 3\n",
    "deleted": False,
    "binary": False,
}
CONVENTIONAL = ("feat: count shelves", "fix(export): rows", "chore: drop 3.9", "docs: say more")
SENTENCES = ("Add jars", "Keep rows", "Say more", "Drop 3.9", "Count twice", "Sort by date")


def changed(**given: Any) -> dict[str, Any]:
    """One file of a patch, as the task writes it."""
    return {**CHANGE, **given}


def proof(verdict: str = "proven") -> dict[str, Any]:
    """A proof, as the task writes it."""
    runs = [
        {"name": name, "command": "pytest -q", "status": status, "seconds": 0.5, "log": log}
        for name, status, log in (
            ("base", 0, "41 passed"),
            ("patch", 1 if verdict == "tests_fail" else 0, "the last line of the patch's log"),
            ("new tests on the base", 1, "assert 2 == 3"),
        )
    ]
    said = {"command": "pytest -q", "says": "It counts.", "tests": ["test_larder.py"]}
    return {"verdict": verdict, **said, "runs": runs}


def upload(world: World, job: str, name: str, body: bytes) -> str:
    """Put an object where the job's first attempt would; returns its SHA-256."""
    bucket = world.stack.buckets[0].name
    world.s3.put_object(Bucket=bucket, Key=object_key(job, 1, name), Body=body)
    return sha256(body).hexdigest()


@dataclass(frozen=True)
class Ready:
    """What the next job of ``cluster`` is made of."""

    world: World
    repository: str
    cluster: str

    @property
    def base(self) -> str:
        """The head of the base branch."""
        path = f"/repos/{self.repository}/git/ref/heads/main"
        return str(state.github(self.world, "GET", path)["object"]["sha"])

    def job(
        self,
        *files: dict[str, Any],
        shown: dict[str, Any] | None = None,
        identifier: str = "",
        **fields: str,
    ) -> str:
        """A job that has uploaded a patch of ``files``, and the proof ``shown`` if one is given."""
        job = identifier or seeds.job_id(self.world)
        whole = {"base": self.base, "summary": "Counted.", "diff": "", "files": list(files)}
        raw = json.dumps({**whole, "files": list(files) or [CHANGE]}).encode()
        said = {"patch_sha256": upload(self.world, job, "patch", raw)}
        if shown is not None:
            said["proof_sha256"] = upload(self.world, job, "proof", json.dumps(shown).encode())
            said["verdict"] = str(shown["verdict"])
        told = {**said, "title": "Import loses the last line", **fields}
        return seeds.job(
            self.world,
            self.cluster,
            "publishing",
            identifier=job,
            attempt=1,
            at=seeds.THEN,
            **told,
        )

    def settings(self, **given: Any) -> None:
        """Change the project's settings."""
        made = Project(id=seeds.PROJECT, name="Larder", repository=self.repository, **given)
        assert ProjectStore(seeds.redis(self.world)).put(made, new=False)

    def commits(self, subjects: Sequence[str], branch: str = "main") -> None:
        """Let a person push commits that change nothing."""
        git = f"/repos/{self.repository}/git"
        for subject in subjects:
            ref = state.github(self.world, "GET", f"{git}/ref/heads/{branch}")["object"]["sha"]
            tree = state.github(self.world, "GET", f"{git}/commits/{ref}")["tree"]["sha"]
            body = {"message": subject, "tree": tree, "parents": [ref]}
            made = state.github(self.world, "POST", f"{git}/commits", json=body)
            moved = {"sha": made["sha"]}
            state.github(self.world, "PATCH", f"{git}/refs/heads/{branch}", json=moved)


def interrupted(world: World, job: str, number: int) -> None:
    """Publish, and lose GitHub's answer to the call with that number."""
    with world.tap.faulty(Fault("close", applied=True, system="github", number=number)):
        world.send("PublishQueue", attempt_message(job, 1))
        delivery = world.deliver("PublishQueue")
        assert delivery is not None
        assert delivery.failed
