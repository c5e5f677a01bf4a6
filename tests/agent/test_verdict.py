"""The rule from endings to a verdict, over all that there are."""

import itertools
from typing import get_args

import pytest

from soulcaster_agent.verdict import Ending, Run, Verdict, judge, mention

ENDINGS: tuple[Ending, ...] = get_args(Ending.__value__)


def run(ending: Ending) -> Run:
    return Run("", "", ending, {"passed": 0}.get(ending, 1), 0.1, "")


def verdict(base: Ending, patch: Ending, new: Ending | None = None) -> Verdict:
    return judge(run(base), run(patch), run(new) if new else None)[0]


def test_proven_is_one_case() -> None:
    """A sound base, all tests passing with the patch, and the new ones failing on the base."""
    for base, patch, new in itertools.product(ENDINGS, ENDINGS, (*ENDINGS, None)):
        is_proven = verdict(base, patch, new) == "proven"
        expected = base in {"passed", "none"} and (patch, new) == ("passed", "failed")
        assert is_proven == expected, (base, patch, new)


def test_tests_that_pass_with_the_patch_are_never_a_failure() -> None:
    """And nothing else is tests_pass."""
    for base, patch in itertools.product(ENDINGS, ENDINGS):
        assert (verdict(base, patch) == "tests_pass") == (patch == "passed")


@pytest.mark.parametrize("patch", [each for each in ENDINGS if each != "passed"])
def test_a_suite_that_ran_before_must_run(patch: Ending) -> None:
    """Where tests ran without the patch, whatever else becomes of them with it is a failure."""
    assert verdict("passed", patch) == "tests_fail"
    assert verdict("failed", patch) == "tests_fail"


@pytest.mark.parametrize(
    ("base", "patch"),
    [
        ("none", "none"),
        ("not_started", "not_started"),
        ("late", "late"),
        ("broken", "late"),
        ("late", "broken"),
        ("not_started", "none"),
    ],
)
def test_what_says_nothing_of_the_patch(base: Ending, patch: Ending) -> None:
    """There was no verdict to be had without it either."""
    assert verdict(base, patch) == "no_tests"


def test_a_setup_that_fails_without_the_patch_says_nothing() -> None:
    """The patch is not run then."""
    assert judge(run("setup_failed"), None, None)[0] == "no_tests"


def test_a_sentence_is_one_line() -> None:
    """For all endings, with what ended how."""
    for base, patch, new in itertools.product(ENDINGS, ENDINGS, (*ENDINGS, None)):
        _, says = judge(run(base), run(patch), run(new) if new else None)
        assert says.endswith(".")
        assert "\n" not in says


def test_many_touched_tests_are_counted() -> None:
    """Three are named."""
    assert mention([]) == ""
    assert mention([f"tests/{n}" for n in range(5)]).endswith(
        "tests/0, tests/1, tests/2 and 2 more."
    )
