import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.grouping import taught as module
from soulcaster.rules.grouping.lens import KINDS, lenses
from soulcaster.rules.grouping.taught import FURTHEST, Lesson, lessons, taught

COUNTS = st.integers(0, 10_000)


def test_nobody_has_taught_anything_at_first() -> None:
    """Every bar is the shipped one."""
    assert taught(lenses(), lessons({})) == lenses()


@given(COUNTS, COUNTS)
def test_each_correction_moves_the_bar_its_way_and_never_too_far(merges: int, aparts: int) -> None:
    """A merge lowers it, a split or move raises it, and all of them less than a fifth of it."""
    offset = Lesson(merges, aparts).offset
    assert abs(offset) < FURTHEST
    assert Lesson(merges + 1, aparts).offset < offset < Lesson(merges, aparts + 1).offset


@given(COUNTS, COUNTS)
def test_both_ways_count_alike(merges: int, aparts: int) -> None:
    """As many of the one as of the other teach nothing, in sum."""
    assert Lesson(merges, aparts).offset == pytest.approx(-Lesson(aparts, merges).offset)
    assert Lesson(merges, merges).offset == 0


def test_one_correction_says_little_and_many_say_much() -> None:
    """Less than 2 % for one, 10 % for ten, nearly all of a fifth for a thousand."""
    offsets = [Lesson(aparts=n).offset for n in (1, 10, 1_000)]
    assert offsets == pytest.approx([0.0182, 0.1, 0.198], abs=1e-4)


def test_a_lesson_is_about_its_kind() -> None:
    """Corrections of short texts leave the bars of others alone; what is no kind, all of them."""
    found = taught(lenses(), lessons({"short:merge": 10, "error:apart": 10, ":merge": 99}))
    shipped = lenses()
    bars = {kind: found[kind].bar / shipped[kind].bar for kind in KINDS}
    assert bars == pytest.approx({"short": 0.9, "report": 1.0, "error": 1.1})
    assert found["short"].with_bar(0) == shipped["short"].with_bar(0)


def test_it_needs_no_arrays() -> None:
    """What shows bars to people starts without the clustering's packages."""
    program = "import sys, soulcaster.rules.grouping.taught as t; sys.exit('numpy' in sys.modules)"
    layer = Path(str(module.__file__)).parents[3]
    subprocess.run([sys.executable, "-c", program], check=True, cwd=layer)
