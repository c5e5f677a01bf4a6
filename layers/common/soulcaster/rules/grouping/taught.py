"""What people's corrections teach: how far from its shipped bar each kind of text is held.

A function of the corrections that are live now, so undoing one also undoes what it taught.
Needs no arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from soulcaster.rules.grouping.lens import KINDS, Lens
from soulcaster.rules.text_kind import Kind

# The furthest that corrections move a bar, as a share of it.
FURTHEST = 0.2
# How many undecided corrections everybody starts with: one person's first merge moves a bar by less
# than 2 %, ten of them by 10 %.
UNDECIDED = 10


@dataclass(frozen=True, slots=True)
class Lesson:
    """Live corrections about texts of one kind: ``merges`` put together, ``aparts`` took apart."""

    merges: int = 0
    aparts: int = 0

    @property
    def offset(self) -> float:
        """How much higher the bar is for it, as a share of it: within ±0.2, 0 without any.

        Every merge lowers it, every split and move raises it.
        """
        counted = self.merges + self.aparts + UNDECIDED
        return FURTHEST * (self.aparts - self.merges) / counted


def lessons(counts: Mapping[str, int]) -> dict[Kind, Lesson]:
    """The lesson of each kind from ``{kind}:merge`` and ``{kind}:apart``."""
    return {
        kind: Lesson(counts.get(f"{kind}:merge", 0), counts.get(f"{kind}:apart", 0))
        for kind in KINDS
    }


def taught(lenses: Mapping[Kind, Lens], learned: Mapping[Kind, Lesson]) -> dict[Kind, Lens]:
    """``lenses`` with their bars as corrections have moved them."""
    return {
        kind: lens.with_bar(lens.bar * (1 + learned[kind].offset)) for kind, lens in lenses.items()
    }
