"""How each kind of text is compared, and how much is enough: the constants of the rule.

They are in ``lenses.json``, written by the command that its ``made_by`` names. A bar is never a
cosine of some model: similarities are measured on a scale on which unrelated texts are at 0
and equal ones at 1, or counted in the spread of unrelated ones.
"""

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from soulcaster.rules.text_kind import Kind

KINDS: tuple[Kind, ...] = ("short", "report", "error")


@dataclass(frozen=True, slots=True)
class Lens:
    """How a kind of text is compared.

    ``marks``: the marks' share of a similarity, the rest is the embedding's. ``removed``: how
    many common directions are taken out of embeddings after centring; None scales them instead,
    from the model's unrelated texts (0) to equal ones (1). ``centred``: whether marks are.
    ``crowding``: the share of what a text has in common with its neighbours of the ranks
    ``first_rank`` to ``last_rank`` that is taken off, so that crowded regions need more (cross-
    domain similarity local scaling: Conneau and others, 2018). ``in_spreads``: whether the bar
    counts spreads of unrelated similarities. ``repetition``: how much lower the bar is where
    texts repeat more, as there a pair is likelier to be one. ``bar``: what joins.
    """

    marks: float
    removed: int | None
    centred: bool
    crowding: float
    first_rank: int
    last_rank: int
    in_spreads: bool
    repetition: float
    bar: float

    def with_bar(self, bar: float) -> "Lens":
        """The same lens with another bar."""
        return replace(self, bar=bar)


def lenses() -> dict[Kind, Lens]:
    """The lens of each kind, as shipped."""
    read = _read()
    return {kind: Lens(**read["lenses"][kind]) for kind in KINDS}


@cache
def _read() -> dict[str, Any]:
    text = files("soulcaster.rules.grouping").joinpath("lenses.json").read_text("utf-8")
    result: dict[str, Any] = json.loads(text)
    return result
