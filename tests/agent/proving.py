"""A repository, what an engine did to its clone, and the proof of that."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from soulcaster_agent import job
from soulcaster_agent.checkout import Checkout, check_out
from soulcaster_agent.confinement import confine
from soulcaster_agent.git import Git
from soulcaster_agent.log import Log
from soulcaster_agent.patch import make_patch
from soulcaster_agent.process import Command
from soulcaster_agent.proof import Prover
from soulcaster_agent.redact import Redactor
from soulcaster_agent.trees import Trees, make_trees
from soulcaster_agent.verdict import Proof, Run
from tests.agent.repositories import commit_all

CASE = """import unittest
from calc import add
class Add(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add({left}, {right}), {sum})
"""
WRONG = "def add(a, b):\n    return a - b\n"
RIGHT = "def add(a, b):\n    return a + b\n"
# Its test passes with either.
CALC = {
    "calc.py": WRONG,
    "tests/__init__.py": "",
    "tests/test_zero.py": CASE.format(left=1, right=0, sum=1),
}
NEW_TEST = {"tests/test_sum.py": CASE.format(left=2, right=3, sum=5)}
SHELL = job.Tests(command="sh tests/run.sh")


def script(text: str) -> dict[str, str]:
    """The files of a repository whose tests are a shell script."""
    return {"tests/run.sh": text}


def write(folder: Path, files: Mapping[str, str | None]) -> None:
    """Write files below a folder; None deletes."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, newline="")


@dataclass
class Workshop:
    """Makes repositories and clones of them in a folder that every user can enter."""

    folder: Path
    redact: Redactor = field(default_factory=Redactor)
    process: Command = field(default_factory=Command)
    checkout: Checkout = field(init=False)

    def clone(self, files: Mapping[str, str | None]) -> Path:
        """Make a repository of the files; return the engine's clone of it."""
        origin = self.folder / "origin"
        write(origin, files)
        commit_all(origin)
        return self.clone_of(origin)

    def clone_of(self, origin: Path) -> Path:
        """Return the engine's clone of a repository."""
        self.task = self.folder / "task"
        (self.task / "git-home").mkdir(parents=True)
        self.git = Git(self.task / "git-home", time.time() + 60)
        self.checkout = check_out(job.Repository(str(origin), "main", None), self.task, self.git)
        return self.checkout.workdir

    def trees(self) -> Trees:
        """Return the trees for what the clone holds now."""
        make_patch(self.checkout, self.git)
        return self.trees_of_last_patch()

    def trees_of_last_patch(self) -> Trees:
        """Return the trees for what the clone held when its patch was made."""
        return make_trees(self.checkout, self.git)

    def prove(
        self,
        tests: job.Tests | None = None,
        seconds: float = 60,
        engine: Callable[[int], None] = lambda _: None,
    ) -> Proof:
        """Return the proof of what the clone holds; ``engine`` is called with its uid first."""
        log = Log(self.redact)
        with confine(self.task, (), (), log) as confinement:
            confinement.hand_over(self.checkout.workdir)
            engine(confinement.uid)
            make_patch(self.checkout, self.git)
            prover = Prover(
                tests or job.Tests(),
                self.process,
                confinement,
                log,
                self.redact,
                self.task,
                time.time() + seconds,
            )
            return prover.prove(self.checkout)


def runs(proof: Proof) -> dict[str, Run]:
    """The runs of a proof by name."""
    return {each.name: each for each in proof.runs}
