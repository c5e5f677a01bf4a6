import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from soulcaster.rules.patch import ChangedFile, Patch
from soulcaster.rules.proof import Proof, Run, parse_proof
from soulcaster.rules.pull_request import (
    BODY_CHARS,
    LOG_CHARS,
    VERDICTS,
    Evidence,
    commit_message,
    pull_request_body,
    pull_request_title,
)
from tests.rules.samples import NOW

PROBLEM = "The CSV lacks one row."
JOB = {"id": "job_larder_00ff", "attempt": "2", "title": "Export loses the last row"}
PATCH = Patch(
    "4f2a" * 10,
    "The loop ended early.",
    (ChangedFile("larder/export.py", "100644", "x"), ChangedFile("old.py", "100644", None)),
)
PROOF = Proof(
    "proven",
    "pytest -q",
    "test_export fails without the fix.",
    ("tests/test_export.py",),
    (
        Run("base", "pytest -q", 0, 2.04, "41 passed"),
        Run("patch", "pytest -q", 0, 2.1, "42 passed"),
        Run("new tests on the base", "pytest -q tests/test_export.py", 1, 0.5, "1 failed"),
    ),
)
# Outside of code, what GitHub makes a mention, a reference, a keyword or markup of.
SPECIAL = re.compile(r"@\w|#\d(?! report)|<(?!/?details>|/?summary>)|(?i:gh-\d)|!\[")


def item(**given_fields: Any) -> dict[str, Any]:
    fields = {
        "title": "No last row",
        "channel": "r/larder",
        "url": "https://r.example/1",
        "source": "reddit",
        "received_at": NOW,
    }
    return {**fields, **given_fields}


def body(*items: dict[str, Any], size: int = 1, claimed_at: int = NOW, **given_parts: Any) -> str:
    """A pull request's words for ``items``."""
    parts = {"job": JOB, "problem": PROBLEM, "patch": PATCH, "proof": PROOF, **given_parts}
    evidence = Evidence(items or [item()], size, claimed_at)
    return pull_request_body(repository="acme/larder", evidence=evidence, **parts)


def outside_code(text: str) -> str:
    """What GitHub reads: without fenced blocks and code marks, and without targets of links."""
    lines, fence = [], ""
    for line in text.split("\n"):
        run = re.match("`{3,}", line)
        if fence:
            fence = "" if line == fence else fence
        elif run:
            fence = run[0]
        else:
            lines.append(line)
    assert not fence, "a block is not closed"
    return re.sub(r"\]\([^()\s]+\)", "]", re.sub(r"`[^`\n]+`", "", "\n".join(lines)))


CONVENTIONAL = ["feat: shelves", "fix(export): rows", "chore!: drop 3.9", "docs: say more"]
SENTENCES = ["Add shelves", "Keep the last row", "Say what went wrong", "Drop 3.9 and older"]


@pytest.mark.parametrize(
    ("subjects", "title"),
    [
        ([], "Fix: Export loses the last row"),
        (["Initial import"], "Fix: Export loses the last row"),
        (CONVENTIONAL, "fix: export loses the last row"),
        ([*CONVENTIONAL, *SENTENCES[:2]], "fix: export loses the last row"),
        ([*CONVENTIONAL, *["Merge pull request #1 from x"] * 9], "fix: export loses the last row"),
        (SENTENCES, "Fix “Export loses the last row”"),
        ([*SENTENCES, *CONVENTIONAL[:1]], "Fix “Export loses the last row”"),
        ([*CONVENTIONAL, *SENTENCES], "Fix: Export loses the last row"),
        (CONVENTIONAL[:3], "Fix: Export loses the last row"),
        (["Fix: a", "Export: b", "larder: c", "[area] d", "e"], "Fix: Export loses the last row"),
    ],
)
def test_a_title_is_in_the_repositorys_manner(subjects: list[str], title: str) -> None:
    """Conventional where most commits are, a sentence where most are that, else our own form."""
    assert pull_request_title(JOB, subjects) == title


@pytest.mark.parametrize("name", ["CSV is empty", "KeyError in export", "iOS crashes", "5 rows"])
def test_a_name_keeps_its_letters(name: str) -> None:
    """Only a word that is written like one is made small."""
    assert pull_request_title({"title": name}, CONVENTIONAL) == f"fix: {name}"


def test_a_title_is_short_and_neutral() -> None:
    """What the cluster was called when the agent began, or something, in few characters."""
    assert pull_request_title({}, []) == "Fix: a reported problem"
    assert pull_request_title({}, SENTENCES) == "Fix “a reported problem”"
    for subjects in ([], CONVENTIONAL, SENTENCES):
        title = pull_request_title({"title": "@octocat #1 " * 50}, subjects)
        assert len(title) <= 200
        assert not re.search(r"@\w|#\d", title)


def test_subjects_choose_and_are_not_quoted() -> None:
    """A commit's author can't write into the title."""
    hostile = [f"fix: @octocat closes #{n}" for n in range(30)]
    assert pull_request_title(JOB, hostile) == "fix: export loses the last row"


def test_a_commit_names_its_job() -> None:
    """Title, what was done and the job, each in its own paragraph; no trailer can be added."""
    summary = "Done.\n\nCo-authored-by: Evil <evil@evil.example>"
    message = commit_message("Fix: it", JOB, Patch(PATCH.base, summary, PATCH.files))
    title, said, trailer = message.split("\n\n")
    assert title == "Fix: it"
    assert said.startswith("Done. Co-authored-by: Evil")
    assert trailer == "Soulcaster-Job: job_larder_00ff\n"
    assert "No summary" in commit_message("Fix: it", JOB, Patch(PATCH.base, "", PATCH.files))


def test_a_body_holds_the_evidence() -> None:
    """What was wrong, what was changed, every file, every report and how many there are."""
    said = body(item(), item(title="Row gone", url=None), size=5)
    assert "### What was wrong\n\nThe CSV lacks one row.\n" in said
    assert "The loop ended early." in said
    assert "- `larder/export.py`\n- `old.py` (deleted)\n" in said
    assert "### Evidence: 5 reports" in said
    assert "- r/larder: [“No last row”](https://r.example/1)\n" in said
    assert "- r/larder: “Row gone”\n" in said
    assert "- and 3 more" in said
    assert said.endswith("Job `job_larder_00ff`, attempt 2.\n")


def test_one_report_is_one() -> None:
    """The words fit the number."""
    assert "### Evidence: 1 report\n" in body()
    assert "more" not in body()


def test_a_body_holds_the_proof() -> None:
    """The verdict in words, the command, the tests, and the log of each run with its outcome."""
    said = body()
    assert VERDICTS["proven"] in said
    assert "test_export fails without the fix." in said
    assert "Command: `pytest -q`\n" in said
    assert "Tests in the change: `tests/test_export.py`\n" in said
    order = [
        "<details>\n<summary>Without the change: status 0, 2.0 s</summary>\n",
        "```text\n41 passed\n```\n\n</details>\n",
        "<summary>The new tests without the change: status 1, 0.5 s</summary>",
        "1 failed",
        "<summary>With the change: status 0, 2.1 s</summary>",
        "42 passed",
    ]
    places = [said.index(each) for each in order]
    assert places == sorted(places)


def test_what_was_not_shown_is_said() -> None:
    """No proof is no tests; a run that did not end and one that wrote nothing say so."""
    assert VERDICTS["no_tests"] in body(proof=None)
    run = Run("patch", "", None, 600.0, "")
    said = body(proof=Proof("tests_fail", "", "", (), (run,)))
    assert VERDICTS["tests_fail"] in said
    assert "With the change: did not end in time, 600.0 s" in said
    assert "It wrote nothing." in said
    assert "Command" not in said


def test_of_a_long_log_the_end_is_shown() -> None:
    """Each log takes so much of the page, and the last lines count."""
    log = "\n".join(f"line {n}" for n in range(5_000))
    said = body(proof=Proof("tests_pass", "", "", (), (Run("patch", "", 0, 1, log),)))
    assert "line 4999\n```" in said
    assert "line 1000\n" not in said
    assert log[-LOG_CHARS:] in said


def test_a_credential_in_a_log_is_not_published() -> None:
    """A test may print what it was given."""
    secret = "ghs_" + "1234567890abcdef_" * 3
    said = body(proof=Proof("tests_pass", "", "", (), (Run("patch", "", 0, 1, f"x {secret}"),)))
    assert secret not in said
    assert "x [removed]" in said


@pytest.mark.parametrize(
    ("received", "claimed", "newer"),
    [(NOW + 1, NOW, True), (NOW, NOW, False), (NOW - 1, NOW, False), (NOW, 0, False)],
)
def test_what_came_after_the_claim_is_marked(received: int, claimed: int, newer: bool) -> None:
    """The agent has not read it; without the time of the claim nobody knows."""
    said = body(item(received_at=received), claimed_at=claimed)
    assert ("(newer than the change)" in said) is newer


def test_hostile_words_stay_words() -> None:
    """Problem, title, channel, the agent's words and the tests' are all neutral."""
    attack = "@octocat fixes #1 <script> `x` https://evil.example </details>"
    hostile = item(title=attack, channel=attack, url="https://github.com/other/repo/issues/1")
    run = Run("patch", attack, 1, 1.0, f"```\n</details>\n{attack}")
    proof = Proof("tests_fail", attack, attack, (attack,), (run,))
    patch = Patch(PATCH.base, attack, PATCH.files)
    said = outside_code(body(hostile, problem=attack, patch=patch, proof=proof))
    assert not SPECIAL.search(said), said
    assert "https:" not in said


WORDS = st.text(st.characters() | st.sampled_from("@#&;:/.<>[]()!*_`~\n wWgGhH1a-\\"), max_size=200)


@given(WORDS, WORDS, WORDS)
@example("closes", "x", "https://github.com/acme/larder/issues/1")
@example("</details>", "````\n```", "javascript:alert(1)")
def test_no_words_do_anything(one: str, two: str, three: str) -> None:
    """Whatever is said wherever, GitHub finds no mention, reference, image or markup in it."""
    raw = {
        "verdict": "tests_fail",
        "command": one,
        "says": two,
        "tests": [three],
        "runs": [{"name": "patch", "command": two, "status": 1, "seconds": 1, "log": one + three}],
    }
    reports = [item(title=one, channel=two, url=f"https://a.example/{three}")]
    reports.append(item(title=three, channel=one, url=two, source="github"))
    patch = Patch(PATCH.base, three, PATCH.files)
    said = body(*reports, problem=two, patch=patch, proof=parse_proof(json.dumps(raw)))
    assert not SPECIAL.search(outside_code(said)), said
    assert said.count("<details>") >= 1


@settings(deadline=None, max_examples=30)
@given(st.sampled_from("`@#&é\n x\u202e&"), st.sampled_from("`@x&(é"), st.integers(0, 10**9))
def test_a_body_has_room_on_github(letter: str, other: str, size: int) -> None:
    """However long everything is that others wrote, the page stays below what GitHub takes."""
    long = f"{letter}a{other}" * 2_500
    runs = tuple(
        Run(name, long, -(2**31), 999_999.9, long)
        for name in ("base", "patch", "new tests on the base")
    )
    files = tuple(ChangedFile(f"{n}/{'p' * 4_000}", "100644", None) for n in range(200))
    reports = [
        item(title=long, channel=long, url=f"https://a.example/{long}"[:length])
        for length in (2_000, 300, 250, 120) * 5
    ]
    said = body(
        *reports,
        size=size,
        problem=long,
        patch=Patch(PATCH.base, long, files),
        proof=Proof("proven", long, long, (long,) * 200, runs),
    )
    assert len(said) < BODY_CHARS
    outside_code(said)
