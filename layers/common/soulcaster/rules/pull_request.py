"""The words of a pull request. What strangers, agents and programs wrote in it is only quoted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from soulcaster.rules.patch import Patch, without_credentials
from soulcaster.rules.project import Verdict
from soulcaster.rules.proof import Proof, Run
from soulcaster.rules.quoting import code, fenced, linked, neutral

# GitHub takes 65,536; every part below is bounded so that their sum stays under this.
BODY_CHARS = 60_000
LOG_CHARS = 6_000
_FILES = 60
REPORTS = 15
_PATH_CHARS = 150

# A verdict in words for people.
VERDICTS: Final[dict[Verdict, str]] = {
    "proven": "Proven: a test of this change fails without the fix and passes with it.",
    "tests_pass": "The tests pass with the change. None of them showed the problem before.",
    "no_tests": "No tests were run: nothing here shows that the change works.",
    "tests_fail": "The tests fail with the change.",
}

# Whose habits a title follows: enough subjects, and most of them alike.
_FEWEST_SUBJECTS = 4
_CONVENTIONAL = re.compile(
    r"(?:build|chore|ci|docs|feat|fix|perf|refactor|revert|style|test)(?:\([^()]{1,40}\))?!?: \S.*"
)
_IMPERATIVE = re.compile(r"[A-Z][a-z]+ [^:]*[^:.]")
_NOT_WRITTEN = ("Merge ", "Revert ")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A cluster's newest items, how many it has, and when the agent read them (ms, or 0)."""

    items: Sequence[Mapping[str, Any]]
    size: int
    claimed_at: int


def pull_request_title(job: Mapping[str, Any], subjects: Sequence[str]) -> str:
    """What was reported, as it was called when the agent began, in the repository's manner.

    ``subjects`` are the first lines of recent commits. Where most are conventional commits it is
    "fix: …", where most are plain sentences in the imperative "Fix “…”", else "Fix: …".
    """
    reported = neutral(str(job.get("title") or ""), 90) or "a reported problem"
    written = [subject for subject in subjects if not subject.startswith(_NOT_WRITTEN)]
    if _most(_CONVENTIONAL, written):
        return f"fix: {_lower(reported)}"
    if _most(_IMPERATIVE, written):
        return f"Fix “{reported}”"
    return f"Fix: {reported}"


def _most(manner: re.Pattern[str], subjects: Sequence[str]) -> bool:
    alike = sum(manner.fullmatch(subject) is not None for subject in subjects)
    return len(subjects) >= _FEWEST_SUBJECTS and alike * 2 > len(subjects)


def _lower(title: str) -> str:
    """The title as the middle of a sentence; a name such as "CSV" or "KeyError" stays."""
    first, _, _ = title.partition(" ")
    return title[:1].lower() + title[1:] if first[1:].islower() else title


def commit_message(title: str, job: Mapping[str, Any], patch: Patch) -> str:
    """Title, what the agent says it did, and the job; the same however often it is asked."""
    summary = neutral(patch.summary, 1_000) or "No summary was given."
    return f"{title}\n\n{summary}\n\nSoulcaster-Job: {job['id']}\n"


def pull_request_body(
    job: Mapping[str, Any],
    repository: str,
    problem: str,
    patch: Patch,
    proof: Proof | None,
    evidence: Evidence,
) -> str:
    """What was wrong, what was changed, the proof, and the reports it comes from.

    ``problem`` is what a person approved as the plan, or what the cluster is called; no ``proof``
    is one of ``no_tests``. Never longer than ``BODY_CHARS``.
    """
    reports = evidence.items[:REPORTS]
    lines = [
        "This draft was written by a coding agent. Nobody has read it yet.",
        "",
        "### What was wrong",
        "",
        neutral(problem, 2_000) or "Nothing was said.",
        "",
        "### What was changed",
        "",
        neutral(patch.summary, 2_000) or "The agent gave no summary.",
        "",
        *_files(patch),
        "",
        "### Proof",
        "",
        *_proof(proof),
        f"### Evidence: {evidence.size} report{'s' if evidence.size != 1 else ''}",
        "",
        *(_report(item, repository, evidence.claimed_at) for item in reports),
    ]
    if evidence.size > len(reports):
        lines.append(f"- and {evidence.size - len(reports)} more")
    lines += ["", f"Job `{job['id']}`, attempt {job['attempt']}."]
    return "\n".join(lines) + "\n"


def _files(patch: Patch) -> list[str]:
    shown = [
        f"- {code(file.path, _PATH_CHARS)}{' (deleted)' if file.content is None else ''}"
        for file in patch.files[:_FILES]
    ]
    left_out = len(patch.files) - _FILES
    return [*shown, f"- and {left_out} more"] if left_out > 0 else shown


def _proof(proof: Proof | None) -> list[str]:
    if proof is None:
        return [VERDICTS["no_tests"], ""]
    lines = [VERDICTS[proof.verdict], ""]
    if said := neutral(proof.says, 300):
        lines += [said, ""]
    if command := code(proof.command, 300):
        lines += [f"Command: {command}", ""]
    if proof.tests:
        tests = " ".join(code(path, _PATH_CHARS) for path in proof.tests[:10])
        lines += [f"Tests in the change: {tests}", ""]
    for name, title in _TITLES.items():
        if run := proof.run(name):
            lines += [*_log(run, title), ""]
    return lines


_TITLES: Final = {
    "base": "Without the change",
    "new tests on the base": "The new tests without the change",
    "patch": "With the change",
}


def _log(run: Run, title: str) -> list[str]:
    ended = "did not end in time" if run.status is None else f"status {run.status}"
    lines = ["<details>", f"<summary>{title}: {ended}, {run.seconds:.1f} s</summary>", ""]
    if command := code(run.command, 300):
        lines += [command, ""]
    log = without_credentials(run.log) or "It wrote nothing."
    return [*lines, fenced(log, LOG_CHARS), "", "</details>"]


def _report(item: Mapping[str, Any], repository: str, claimed_at: int) -> str:
    words = f"“{neutral(str(item['title']), 120)}”"
    where = neutral(str(item["channel"]), 60)
    on_github = item.get("source") == "github"
    said = linked(words, item.get("url"), repository, on_github=on_github)
    newer = claimed_at and int(item.get("received_at") or 0) > claimed_at
    return f"- {where}: {said}{' (newer than the change)' if newer else ''}"
