"""What runs of the tests say of a patch."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

type Verdict = Literal["proven", "tests_pass", "no_tests", "tests_fail"]
# none: there was no test to run. not_started: the command, or what it starts, is not there.
# late: it did not end in time. broken: the task could not run it.
type Ending = Literal["passed", "failed", "none", "not_started", "setup_failed", "late", "broken"]

MOST_NAMED = 3
# How people are told of an ending, after "with the patch".
ENDINGS: dict[Ending, str] = {
    "passed": "they pass",
    "failed": "they fail",
    "none": "there is none to run",
    "not_started": "they can't be started",
    "setup_failed": "their setup fails",
    "late": "they don't end in time",
    "broken": "the task can't run them",
}
# For each ending with the patch, the endings without it beside which it says nothing. A suite
# that ran before and doesn't with the patch is a suite that the patch broke.
SAYS_NOTHING: dict[Ending, set[Ending]] = {
    "none": {"none", "not_started", "late", "broken"},
    "not_started": {"not_started"},
    "late": {"late", "broken"},
    "broken": {"late", "broken"},
}


@dataclass(frozen=True)
class Run:
    """One run of the tests; ``status`` is None if it did not end in time, or at all.

    ``command`` is the one that ran last: the setup, if that failed.
    """

    name: str
    command: str
    ending: Ending
    status: int | None
    seconds: float
    log: str

    @property
    def is_sound(self) -> bool:
        """Whether nothing was wrong before there was anything new."""
        return self.ending in {"passed", "none"}


@dataclass(frozen=True)
class Proof:
    """What the tests say of a patch, for people and for the project's policy.

    ``command`` is '' when none is known, ``tests`` are the test files that the patch adds or
    changes. All texts are redacted.
    """

    verdict: Verdict
    command: str
    says: str
    tests: list[str]
    runs: list[Run]

    def to_json(self) -> bytes:
        """Return the document that is uploaded."""
        document = asdict(self)
        for run in document["runs"]:
            del run["ending"]
        return json.dumps(document, ensure_ascii=False).encode()


def judge(base: Run, patch: Run | None, new_tests: Run | None) -> tuple[Verdict, str]:
    """Return the verdict and a sentence for people.

    ``new_tests`` is the run of the patch's tests on the base, which is None when there is
    nothing new to run, or the base isn't sound or the patch didn't pass. ``patch`` is None
    when the setup failed on the base.
    """
    if patch is None:
        return "no_tests", "The setup of the tests fails without the patch already."
    if patch.ending == "passed":
        return judge_passed(base, new_tests)
    says = f"Tests: with the patch {said(patch)}, without it {said(base)}."
    if base.ending in SAYS_NOTHING.get(patch.ending, set()):
        return "no_tests", says
    return "tests_fail", says


def judge_passed(base: Run, new_tests: Run | None) -> tuple[Verdict, str]:
    """Return the verdict on a patch with which the tests pass, and a sentence."""
    if not base.is_sound:
        return "tests_pass", f"The tests pass with the patch; without it {said(base)}."
    if new_tests is None:
        return "tests_pass", "The tests pass with the patch, which brings no test of its own."
    if new_tests.ending == "failed":
        return "proven", "The patch's own tests fail without the fix; with it, all tests pass."
    found = f"as for its own without the fix, {said(new_tests)}."
    return "tests_pass", f"The tests pass with the patch; {found}"


def said(run: Run) -> str:
    """Return in a few words how a run ended."""
    is_status_of_use = run.ending in {"failed", "not_started", "setup_failed"}
    return ENDINGS[run.ending] + (f" (status {run.status})" if is_status_of_use else "")


def mention(touched: Sequence[str]) -> str:
    """Return a sentence on tests that were there before and that a patch changes or deletes."""
    if not touched:
        return ""
    names = ", ".join(re.sub(r"[^\w./+-]", "?", each)[-80:] for each in touched[:MOST_NAMED])
    more = f" and {len(touched) - MOST_NAMED} more" if len(touched) > MOST_NAMED else ""
    return f" It changes or deletes tests that were there before: {names}{more}."
