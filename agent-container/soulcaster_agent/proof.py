"""Runs the repository's tests without the patch, with it, and the patch's tests alone."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from soulcaster_agent.checkout import Checkout
from soulcaster_agent.confinement import Confinement
from soulcaster_agent.convention import find_command
from soulcaster_agent.git import Git, GitError
from soulcaster_agent.job import Tests
from soulcaster_agent.leftovers import clear_leftovers
from soulcaster_agent.log import Log
from soulcaster_agent.patch import PatchError
from soulcaster_agent.process import Command, DeadlinePassedError
from soulcaster_agent.redact import Redactor
from soulcaster_agent.runs import TestRunner
from soulcaster_agent.trees import Trees, make_trees
from soulcaster_agent.verdict import ENDINGS, Proof, Run, Verdict, judge, mention

BASE, PATCH, NEW_TESTS = "base", "patch", "new tests on the base"
MOST_RUNS = 3
# Kept to end what runs and to hand in what was found.
LAST_SECONDS = 20
NO_COMMAND = "How this repository is tested is not known: its project should name the command."
NO_TREES = "The patch could not be laid out for its tests"


@dataclass(frozen=True)
class Prover:
    """Finds out what the tests say of a patch.

    ``folder`` is the attempt's, with a home for git in it; ``deadline`` (Unix seconds) is the
    attempt's too, and the last run ends early enough to hand in what was found. ``process``
    is what runs the tests, and what can be stopped.
    """

    tests: Tests
    process: Command
    confinement: Confinement
    log: Log
    redact: Redactor
    folder: Path
    deadline: float

    def prove(self, checkout: Checkout) -> Proof:
        """Return the proof of the patch that was made last; raises StoppedError.

        Nothing of the engine may be running. Its clone is gone when this returns, and so is
        all that it or the tests left.
        """
        left = self.deadline - time.time()
        end = self.deadline - min(LAST_SECONDS, left / 4)
        # Before anything else: only the patch is to reach the tests.
        shutil.rmtree(checkout.workdir, ignore_errors=True)
        clear_leftovers(self.confinement.uid)
        verdict: Verdict = "no_tests"
        command, says, written = "", NO_COMMAND, list[str]()
        runs: dict[str, Run] = {}
        try:
            trees = make_trees(checkout, Git(self.folder / "git-home", end))
            command, written = self.tests.command or find_in(trees), trees.written
            touched = mention(trees.touched)
            if command:
                runs = self._run_all(command, trees, end)
                verdict, says = judge(runs[BASE], runs.get(PATCH), runs.get(NEW_TESTS))
            says += touched
        except (GitError, PatchError, DeadlinePassedError) as error:
            says = f"{NO_TREES}: {error}"
        self.log.note(f"Proof: {verdict}. {says}")
        redact = self.redact
        tests = [redact(path) for path in written]
        return Proof(verdict, redact(command), redact(says), tests, list(runs.values()))

    def _run_all(self, command: str, trees: Trees, end: float) -> dict[str, Run]:
        """Run what a verdict needs, each in its share of the time; return the runs by name."""
        setup = self.tests.setup
        runner = TestRunner(
            setup, command, self.process, self.confinement, self.redact, self.folder
        )
        share = (end - time.time()) / MOST_RUNS
        runs: dict[str, Run] = {}

        def run(name: str, tree: str) -> Run:
            self.log.note(f"Tests, {name}: {command}")
            runs[name] = runner.run(name, trees, tree, min(time.time() + share, end))
            self.log.note(f"Tests, {name}: {ENDINGS[runs[name].ending]}")
            return runs[name]

        base = run(BASE, trees.base)
        if base.ending == "setup_failed":
            return runs
        patch = run(PATCH, trees.patch)
        if trees.written and base.is_sound and patch.ending == "passed":
            run(NEW_TESTS, trees.tests)
        return runs


def find_in(trees: Trees) -> str:
    """Return the command by convention: of what was there, or else of what the patch brings."""
    return find_command(trees.files(trees.base)) or find_command(trees.files(trees.patch))
