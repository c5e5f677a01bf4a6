import json
import unicodedata
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulcaster.rules.proof import ProofUnreadable, parse_proof, terminal
from tests.rules.signed import json_values, places, replaced


def run(name: str = "patch", **given_fields: Any) -> dict[str, Any]:
    """One run of the tests, as the task writes it."""
    fields = {"name": name, "command": "pytest -q", "status": 0, "seconds": 1.5, "log": "1 passed"}
    return {**fields, **given_fields}


def proof(verdict: str = "proven", *runs: dict[str, Any], **given_fields: Any) -> dict[str, Any]:
    """A proof, as the task writes it; with all runs when none is given."""
    whole = [run("base"), run("patch"), run("new tests on the base", status=1, log="1 failed")]
    fields = {
        "verdict": verdict,
        "command": "pytest -q",
        "says": "test_export fails without the fix.",
        "tests": ["tests/test_export.py"],
        "runs": list(runs) or whole,
    }
    return {**fields, **given_fields}


def refusal(value: Any) -> str:
    """Why a proof is not taken."""
    with pytest.raises(ProofUnreadable) as caught:
        parse_proof(json.dumps(value))
    return str(caught.value)


def test_a_proof_is_read() -> None:
    """Every field arrives as it was written, and each run is found by its name."""
    found = parse_proof(json.dumps(proof()))
    assert (found.verdict, found.command) == ("proven", "pytest -q")
    assert found.tests == ("tests/test_export.py",)
    assert found.says == "test_export fails without the fix."
    failing, passing = found.run("new tests on the base"), found.run("patch")
    assert failing is not None
    assert passing is not None
    assert (failing.status, failing.log) == (1, "1 failed")
    assert (passing.status, passing.seconds, passing.command) == (0, 1.5, "pytest -q")


def test_a_run_that_did_not_end_has_no_status() -> None:
    """That is no success and no failure."""
    found = parse_proof(json.dumps(proof("tests_fail", run(status=None)))).run("patch")
    assert found is not None
    assert found.status is None


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "the agreed form"),
        ({}, "the agreed form"),
        (proof("fine"), "no verdict"),
        (proof(tests="x"), "which tests"),
        (proof(tests=[5]), "which tests"),
        (proof("tests_pass", run("base"), run("base")), "two runs of one name"),
        (proof("tests_pass", run("other")), "no known name"),
        (proof("tests_pass", run("base")), "shows no run"),
        (proof("tests_pass", run(status="0")), "is not a number"),
        (proof("tests_pass", run(status=True)), "is not a number"),
        (proof("tests_pass", run(status=10**400)), "is not a number"),
        (proof("tests_pass", run(seconds=-1)), "no time that can be"),
        (proof("tests_pass", run(seconds=1e999)), "no time that can be"),
        (proof("tests_pass", run(seconds="1")), "no time that can be"),
    ],
)
def test_what_is_no_proof_is_refused(value: Any, why: str) -> None:
    """Everything that is not as agreed is named."""
    assert why in refusal(value)


@pytest.mark.parametrize("status", [0, None])
def test_proven_needs_a_test_that_fails_on_the_base(status: int | None) -> None:
    """One that passes there, did not end or was not run proves nothing."""
    passing = run("new tests on the base", status=status)
    for runs in ([run("patch")], [run("patch"), passing]):
        assert "shows no test failing" in refusal(proof("proven", *runs))


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("\x1b[31;1mFAILED\x1b[0m a.py", "FAILED a.py"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("\x1b]0;a title\x07out", "out"),
        ("a\0b\x08c\u202ed\u200be", "abcde"),
        ("tab\tstays", "tab\tstays"),
        ("\x1b(B\x1b[2J\x1b[?25lend", "(Bend"),
    ],
)
def test_a_log_is_what_a_person_would_read(log: str, said: str) -> None:
    """Colours, titles, cursor movements and what hides text are gone; lines and tabs stay."""
    assert terminal(log) == said


@given(st.text(st.characters() | st.sampled_from("\x1b[]0m;\r\n\x07\x9b")))
def test_no_log_controls_anything(log: str) -> None:
    """Of whatever a program writes, no control character but tab and newline is left."""
    assert all(c in "\t\n" or unicodedata.category(c) != "Cc" for c in terminal(log))


@given(st.text() | json_values.map(json.dumps))
@example("[" * 100_000)
@example('{"verdict": [], "tests": [], "runs": [], "command": "", "says": ""}')
def test_garbage_is_refused(text: str) -> None:
    """No text that is not a proof is taken for one, or ends in another error."""
    with pytest.raises(ProofUnreadable):
        parse_proof(text)


@given(st.data(), json_values | st.text(st.characters()))
def test_any_member_may_be_garbage(data: st.DataObject, value: Any) -> None:
    """With any value in any place it is a proof that can be shown, or refused with a reason."""
    whole = proof()
    path = data.draw(st.sampled_from(list(places(whole))))
    with suppress(ProofUnreadable):
        found = parse_proof(json.dumps(replaced(whole, path, value)))
        " ".join([found.says, found.command, *found.tests, *(r.log for r in found.runs)]).encode()
