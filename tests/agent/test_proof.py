"""Tests are really run, without the patch and with it, and the verdict is what they say."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from soulcaster_agent import job
from soulcaster_agent.proof import NO_COMMAND
from tests.agent.proving import (
    CALC,
    CASE,
    NEW_TEST,
    RIGHT,
    SHELL,
    WRONG,
    Workshop,
    runs,
    script,
    write,
)


@pytest.fixture
def workshop(shared: Path) -> Workshop:
    return Workshop(shared)


def test_a_fix_with_its_test_is_proven(workshop: Workshop) -> None:
    """The new test fails on the base and passes with the patch, and both logs say so."""
    write(workshop.clone(CALC), {"calc.py": RIGHT, **NEW_TEST})
    proof = workshop.prove()
    assert proof.verdict == "proven"
    assert proof.command == "python3 -m unittest"
    assert proof.tests == ["tests/test_sum.py"]
    found = runs(proof)
    assert [found[name].status for name in ("base", "patch")] == [0, 0]
    assert found["new tests on the base"].status == 1
    assert "AssertionError: -1 != 5" in found["new tests on the base"].log
    assert "Ran 2 tests" in found["patch"].log


def test_the_document_is_as_agreed(workshop: Workshop) -> None:
    """Verdict, command, sentence, test files, and runs with status, seconds and log."""
    write(workshop.clone(CALC), {"calc.py": RIGHT, **NEW_TEST})
    document = json.loads(workshop.prove().to_json())
    assert set(document) == {"verdict", "command", "says", "tests", "runs"}
    assert [each["name"] for each in document["runs"]] == ["base", "patch", "new tests on the base"]
    for run in document["runs"]:
        assert set(run) == {"name", "command", "status", "seconds", "log"}
        assert run["command"] == document["command"]
        assert run["seconds"] > 0


def test_a_fix_without_a_test_is_not_proven(workshop: Workshop) -> None:
    """That nothing broke is all that there is to say."""
    write(workshop.clone(CALC), {"calc.py": RIGHT})
    proof = workshop.prove()
    assert (proof.verdict, proof.tests) == ("tests_pass", [])
    assert list(runs(proof)) == ["base", "patch"]


def test_a_test_that_passes_without_the_fix_proves_nothing(workshop: Workshop) -> None:
    """It has to fail on the base."""
    write(
        workshop.clone(CALC),
        {"calc.py": RIGHT, "tests/test_more.py": CASE.format(left=7, right=0, sum=7)},
    )
    proof = workshop.prove()
    assert proof.verdict == "tests_pass"
    assert runs(proof)["new tests on the base"].status == 0


def test_a_base_that_fails_proves_nothing(workshop: Workshop) -> None:
    """Where tests fail without the patch and without its tests, its tests show nothing."""
    broken = {"tests/test_broken.py": CASE.format(left=1, right=1, sum=2)}
    write(workshop.clone({**CALC, **broken}), {"calc.py": RIGHT, **NEW_TEST})
    proof = workshop.prove()
    assert proof.verdict == "tests_pass"
    assert "without it they fail" in proof.says
    assert list(runs(proof)) == ["base", "patch"]


def test_a_patch_that_breaks_a_test_fails(workshop: Workshop) -> None:
    """And the log shows which."""
    write(workshop.clone(CALC), {"calc.py": "def add(a, b):\n    return 9\n"})
    proof = workshop.prove()
    assert proof.verdict == "tests_fail"
    assert "FAIL: test_add" in runs(proof)["patch"].log


def test_a_patch_that_fails_like_the_base_says_so(workshop: Workshop) -> None:
    """People read that it was broken before."""
    broken = {"tests/test_broken.py": CASE.format(left=1, right=1, sum=2)}
    write(workshop.clone({**CALC, **broken}), {"README.md": "more"})
    proof = workshop.prove()
    assert proof.verdict == "tests_fail"
    assert "without it they fail" in proof.says


def test_the_first_tests_of_a_repository_can_prove(workshop: Workshop) -> None:
    """A base without a test is sound; the way to run them is found in the patch."""
    write(
        workshop.clone({"calc.py": WRONG}),
        {"calc.py": RIGHT, "tests/__init__.py": "", **NEW_TEST},
    )
    proof = workshop.prove()
    assert proof.verdict == "proven"
    assert "Ran 0 tests" in runs(proof)["base"].log


def test_a_repository_without_tests_has_none(workshop: Workshop) -> None:
    """Nothing is run, and the sentence says what a project can do."""
    write(workshop.clone({"README.md": "hello"}), {"README.md": "hello, you"})
    proof = workshop.prove()
    assert (proof.verdict, proof.command, proof.runs) == ("no_tests", "", [])
    assert proof.says == NO_COMMAND


def test_a_runner_that_is_not_installed_is_no_failure(workshop: Workshop) -> None:
    """What can't be started on the base either says nothing of the patch."""
    write(workshop.clone({"a.txt": "a"}), {"a.txt": "b"})
    proof = workshop.prove(job.Tests(command="no-such-runner --all"))
    assert proof.verdict == "no_tests"
    assert "can't be started (status 127)" in proof.says
    assert "no-such-runner" in runs(proof)["base"].log


def test_a_patch_that_ends_the_suite_fails(workshop: Workshop) -> None:
    """Deleting the tests is not a way past them, and the deleted file is named."""
    write(workshop.clone(CALC), {"tests/test_zero.py": None})
    proof = workshop.prove()
    assert proof.verdict == "tests_fail"
    assert proof.tests == []
    assert "there before: tests/test_zero.py." in proof.says


def test_a_changed_test_is_mentioned(workshop: Workshop) -> None:
    """A reviewer is told that the patch touches what it is measured with."""
    write(workshop.clone(CALC), {"tests/test_zero.py": CASE.format(left=3, right=0, sum=3)})
    assert "there before: tests/test_zero.py." in workshop.prove().says


def test_the_projects_own_commands_come_first(workshop: Workshop) -> None:
    """Setup and tests share a folder and a home; no convention is asked."""
    write(workshop.clone(CALC), {"calc.py": RIGHT})
    tests = job.Tests("echo made > $HOME/made; echo here > here", "cat $HOME/made here")
    proof = workshop.prove(tests)
    assert (proof.verdict, proof.command) == ("tests_pass", tests.command)
    assert runs(proof)["patch"].log.splitlines()[-2:] == ["made", "here"]


def test_a_setup_that_fails_on_the_base_leaves_no_verdict(workshop: Workshop) -> None:
    """The run shows the setup; no test is started."""
    write(workshop.clone(CALC), {"calc.py": RIGHT})
    proof = workshop.prove(job.Tests("echo no network; exit 3", "echo tested"))
    assert proof.verdict == "no_tests"
    assert [(each.name, each.status) for each in proof.runs] == [("base", 3)]
    assert proof.runs[0].command == "echo no network; exit 3"
    assert "tested" not in proof.runs[0].log


def test_a_setup_that_fails_with_the_patch_fails(workshop: Workshop) -> None:
    """A patch that breaks the setup breaks the tests."""
    write(workshop.clone({"ok": ""}), {"ok": None, "other": ""})
    proof = workshop.prove(job.Tests("test -e ok", "true"))
    assert proof.verdict == "tests_fail"
    assert "their setup fails (status 1)" in proof.says


def test_the_projects_status_for_no_tests_is_not_guessed(workshop: Workshop) -> None:
    """Status 5 means that there is no test only for runners that are known to mean it."""
    write(workshop.clone(script("exit 5")), {"a": "a"})
    assert workshop.prove(SHELL).verdict == "tests_fail"


def test_tests_that_import_what_the_patch_brings_prove(workshop: Workshop) -> None:
    """A test that can't be loaded on the base fails there."""
    case = "import unittest\nfrom more import more\nclass T(unittest.TestCase):\n test = more\n"
    write(workshop.clone(CALC), {"more.py": "def more(case): pass\n", "tests/test_more.py": case})
    assert workshop.prove().verdict == "proven"


def test_a_renamed_test_is_not_run_twice(workshop: Workshop) -> None:
    """On the base, too, the patch's tests are the patch's: what it moved is in one place."""
    write(
        workshop.clone(CALC),
        {"tests/test_zero.py": None, "tests/test_null.py": CALC["tests/test_zero.py"]},
    )
    proof = workshop.prove()
    assert proof.verdict == "tests_pass"
    assert "Ran 1 test " in runs(proof)["new tests on the base"].log


def test_pytest_says_that_there_was_no_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its status 5 makes a base sound, and a test that it then finds can prove."""
    # Where no other user gets to, so that the Python that has pytest can be used.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    workshop = Workshop(tmp_path)
    test = "from calc import add\ndef test_sum():\n    assert add(2, 3) == 5\n"
    write(
        workshop.clone({"calc.py": WRONG, "pytest.ini": "[pytest]\n"}),
        {"calc.py": RIGHT, "tests/test_sum.py": test},
    )
    proof = workshop.prove()
    assert (proof.command, proof.verdict) == ("python3 -m pytest", "proven")
    assert [each.status for each in proof.runs] == [5, 0, 1]


def node_package(passes: bool) -> dict[str, str]:
    return {
        "package.json": json.dumps({"scripts": {"test": "node --test"}}),
        "test/a.test.js": f"require('node:test')('a', () => {{ if (!{int(passes)}) throw 1 }})\n",
    }


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_package_for_node_is_tested_by_npm(workshop: Workshop) -> None:
    """A broken test is told from a sound one by the real runner."""
    write(workshop.clone(node_package(passes=True)), node_package(passes=False))
    proof = workshop.prove()
    assert (proof.command, proof.verdict) == ("CI=true npm test", "tests_fail")
    assert [each.status for each in proof.runs] == [0, 1]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_makefile_whose_runner_is_missing_says_nothing(workshop: Workshop) -> None:
    """Make's own status for it is that of a failed test."""
    write(workshop.clone({"Makefile": "test:\n\t@no-such-runner\n"}), {"a": "a"})
    proof = workshop.prove()
    assert (proof.command, proof.verdict) == ("make test", "no_tests")
    assert "can't be started (status 2)" in proof.says
