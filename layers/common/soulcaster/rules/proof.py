"""What running the repository's tests showed of a patch: the object ``proof`` of an attempt."""

import json
import re
from dataclasses import dataclass
from typing import Any, get_args

from soulcaster.rules.project import Verdict
from soulcaster.rules.text import clean

RUNS = ("base", "patch", "new tests on the base")
_VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_MOST_TESTS = 200
_COMMAND_CHARS = 2_000
_LOG_CHARS = 40_000
_LARGEST_STATUS = 2**32

# What a terminal takes for colours, titles and movements of the cursor.
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|[\x80-\x9f]"
)


class ProofUnreadable(ValueError):  # noqa: N818 - an outcome with a name
    """The proof is not in the agreed form; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Run:
    """The tests, run once. ``status`` is the command's, None when it did not end in time."""

    name: str
    command: str
    status: int | None
    seconds: float
    log: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A verdict and the runs that it comes from; ``tests`` are files that the patch tests with."""

    verdict: Verdict
    command: str
    says: str
    tests: tuple[str, ...]
    runs: tuple[Run, ...]

    def run(self, name: str) -> Run | None:
        """The run of that name, if there was one."""
        return next((run for run in self.runs if run.name == name), None)


def parse_proof(text: str) -> Proof:
    """The proof that a task uploaded, its words cleaned; raises ``ProofUnreadable``."""
    try:
        raw: dict[str, Any] = json.loads(text)
        verdict, tests = raw["verdict"], raw["tests"]
        runs = tuple(_run(entry) for entry in raw["runs"])
        command, says = str(raw["command"]), str(raw["says"])
    except ProofUnreadable:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProofUnreadable("the proof is not in the agreed form") from error
    if verdict not in _VERDICTS:
        raise ProofUnreadable("the proof has no verdict that is known")
    if not isinstance(tests, list) or not all(isinstance(path, str) for path in tests):
        raise ProofUnreadable("the proof does not say which tests it is about")
    names = [run.name for run in runs]
    if len(set(names)) != len(names):
        raise ProofUnreadable("the proof has two runs of one name")
    if verdict in ("proven", "tests_pass") and "patch" not in names:
        raise ProofUnreadable(f"the proof says {verdict} and shows no run of the tests")
    failing = next((run for run in runs if run.name == "new tests on the base"), None)
    if verdict == "proven" and (failing is None or not failing.status):
        raise ProofUnreadable("the proof says proven and shows no test failing on the base")
    return Proof(
        verdict,
        clean(command, _COMMAND_CHARS),
        clean(says, 500),
        tuple(clean(path, 300) for path in tests[:_MOST_TESTS]),
        runs,
    )


def _run(entry: dict[str, Any]) -> Run:
    name, status, seconds = entry["name"], entry["status"], entry["seconds"]
    if name not in RUNS:
        raise ProofUnreadable("the proof has a run of no known name")
    if status is not None and (type(status) is not int or abs(status) > _LARGEST_STATUS):
        raise ProofUnreadable(f"the status of the run “{name}” is not a number")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e6:
        raise ProofUnreadable(f"the run “{name}” took no time that can be")
    command, log = str(entry["command"]), str(entry["log"])
    return Run(name, clean(command, _COMMAND_CHARS), status, float(seconds), terminal(log))


def terminal(log: str) -> str:
    """What a terminal's output says: no colours, no control characters, one kind of line end."""
    plain = _ANSI.sub("", log[-_LOG_CHARS:].replace("\r\n", "\n")).replace("\r", "\n")
    return clean(plain, _LOG_CHARS)
