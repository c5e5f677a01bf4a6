"""The constants of the rule, as shipped."""

import json
import shlex
import subprocess
import sys
from importlib.resources import files

import pytest

from local.parts import ROOT
from soulcaster.rules.grouping.geometry import DIRECTIONS
from soulcaster.rules.grouping.lens import KINDS, lenses
from soulcaster.rules.text_kind import Kind

PAGE = json.loads(files("soulcaster.rules.grouping").joinpath("lenses.json").read_text("utf-8"))


def test_every_kind_has_one_lens() -> None:
    """No kind is without, and none is there that nobody asks for."""
    assert list(lenses()) == list(KINDS)
    assert set(PAGE["lenses"]) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lens_is_sane(kind: Kind) -> None:
    """Shares are shares, ranks are in order, and a bar is something to be reached."""
    lens = lenses()[kind]
    assert 0 <= lens.marks <= 1
    assert lens.removed is None or 0 <= lens.removed <= DIRECTIONS
    assert 0 <= lens.crowding <= 1
    assert 0 <= lens.first_rank <= lens.last_rank
    assert lens.first_rank < lens.last_rank or not lens.crowding
    assert lens.repetition >= 0
    assert 0 < lens.bar < (5 if lens.in_spreads else 1)
    # Vectors that are only scaled lie where their model puts them, so their marks do, too.
    assert lens.removed is not None or not lens.centred


def test_another_bar_changes_nothing_else() -> None:
    """And the shipped lens stays what it is."""
    shipped = lenses()["report"]
    moved = shipped.with_bar(0.5)
    assert moved.bar == 0.5
    assert moved.with_bar(shipped.bar) == shipped == lenses()["report"]


def test_the_command_that_made_them_exists() -> None:
    """With the options that it was given."""
    python, *module, first, folder, write = shlex.split(PAGE["made_by"])
    assert (python, first, write) == ("python", "--data", "--write")
    helped = subprocess.run(
        [sys.executable, *module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {"--data", "--write"} <= set(helped.stdout.replace(",", " ").split())
    assert not folder.startswith("/")
