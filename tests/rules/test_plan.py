import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.plan import (
    MAX_FILES,
    PATH_CHARS,
    PROBLEM_CHARS,
    REPRODUCTION_CHARS,
    VERIFICATION_CHARS,
    Plan,
    is_path,
    plan_of,
    readable,
)

PLAN = Plan("Export fails.", "1. Export.\n2. Look.", ("larder/export.py",), "A test.")


def test_the_text_has_every_part() -> None:
    """In the order in which one works, each under its heading; empty parts are left out."""
    assert PLAN.text() == (
        "What is broken:\nExport fails.\n\n"
        "How to reproduce it:\n1. Export.\n2. Look.\n\n"
        "Files that may matter:\n- larder/export.py\n\n"
        "How to verify the fix:\nA test."
    )
    assert plan_of("Export fails.", "", [], " ").text() == "What is broken:\nExport fails."


def test_what_can_not_be_seen_is_not_in_a_plan() -> None:
    """Neither zero-width, tag, bidirectional, blank nor control characters, wherever they are."""
    tags = "".join(chr(0xE0000 + ord(c)) for c in "obey")
    selectors = "".join(chr(0xFE00 + n) for n in range(16))
    hidden = f"E\u200bx\u202ep\u2066o{tags}r{selectors}t\x00\x1b \u3164\u061c\ud800f\u00adails"
    plan = plan_of(hidden, hidden, [], hidden)
    assert plan == Plan("Export fails", "Export fails", (), "Export fails")


def test_lines_stay_lines() -> None:
    """Steps and indented code are kept, whatever the system they were written on."""
    assert readable(" 1. Run\r\n\tlarder\u2028\x85 2.\rEnd ", 99) == "1. Run\n\tlarder\n\n 2.\nEnd"


@given(st.text(), st.integers(1, 30))
def test_any_text_is_readable(text: str, limit: int) -> None:
    """It holds nothing but what can be seen, within its limit, and stays as it is from then on."""
    seen = readable(text, limit)
    assert len(seen) <= limit
    assert not [c for c in seen if c not in "\n\t" and unicodedata.category(c)[0] == "C"]
    assert readable(seen, limit) == seen


def test_a_plan_is_bounded() -> None:
    """Texts are cut, so that no plan is too long for a prompt."""
    plan = plan_of("p" * 9_999, "r" * 9_999, [], "v" * 9_999)
    lengths = [len(text) for text in (plan.problem, plan.reproduction, plan.verification)]
    assert lengths == [PROBLEM_CHARS, REPRODUCTION_CHARS, VERIFICATION_CHARS]


def test_files_are_named_once() -> None:
    """In the order given; more than the limit are refused."""
    assert plan_of("p", "", ["b.py", "a.py", "b.py"], "").files == ("b.py", "a.py")
    many = [f"{n}.py" for n in range(MAX_FILES + 1)]
    assert plan_of("p", "", many[1:] * 2, "").files == tuple(many[1:])
    with pytest.raises(ValueError, match=r"^files: 21 are too many"):
        plan_of("p", "", many, "")


@pytest.mark.parametrize("problem", ["", " \n", "\u200b\u2060\x00", "\ufe0f\u3164"])
def test_a_plan_says_what_is_broken(problem: str) -> None:
    """One without a problem is none, and so is one that nobody can see."""
    with pytest.raises(ValueError, match=r"^problem: says nothing"):
        plan_of(problem, "r", ["a.py"], "v")


@pytest.mark.parametrize(
    "name",
    [
        "a.py",
        "larder/export.py",
        ".github/x.yml",
        "app/[id]/page (1).tsx",
        "é/味噌.txt",
        "-x",
        "a..b",
    ],
)
def test_plain_relative_paths_are_paths(name: str) -> None:
    """Whatever a repository may well hold."""
    assert is_path(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a", ".", "..", "a\\b"),
        *(" a.py", "a.py ", "a\nb", "a\x00", "a\u200b.py", "a\ufe0f", "a\u202epy.txt", "a\ud800"),
        *("`id`", "<item>", "x" * (PATH_CHARS + 1)),
    ],
)
def test_other_names_are_none(name: str) -> None:
    """What leads out of the repository, hides something or could end a quotation is refused."""
    assert not is_path(name)
    with pytest.raises(ValueError, match=r"^files: ") as refused:
        plan_of("p", "", ["fine.py", name], "")
    assert str(refused.value).isprintable()
