"""A project's rule from what is stored of it, and what is stored."""

import json
from collections.abc import Mapping
from typing import Any

from soulcaster.rules.grouping.affinity import Rule
from soulcaster.rules.grouping.background import background, slug
from soulcaster.rules.grouping.geometry import Geometry
from soulcaster.rules.grouping.lens import KINDS, lenses
from soulcaster.rules.grouping.taught import lessons, taught
from soulcaster.rules.text_kind import Kind


def begun(model: str, dimensions: int, counts: Mapping[str, int], measured: str = "") -> Rule:
    """The rule of a project that nothing has been measured of yet.

    ``counts``: of corrections; ``measured``: what a store keeps of the model, '' for nothing.
    """
    return Rule(taught(lenses(), lessons(counts)), background(model, dimensions, measured))


def recalled(text: str, model: str, dimensions: int) -> dict[Kind, Geometry] | None:
    """The geometries in ``text``, as ``told`` wrote it.

    None when there are none, or they are another model's or of another form.
    """
    try:
        stored: dict[str, Any] = json.loads(text or "{}")
        if stored.get("space") != slug(model, dimensions):
            return None
        return {kind: Geometry.from_text(stored[kind]) for kind in KINDS}
    except (ValueError, KeyError):
        return None


def told(rule: Rule, model: str, dimensions: int) -> str:
    """The geometries of ``rule``, and in which model's space they are."""
    texts = {kind: geometry.to_text() for kind, geometry in rule.geometries.items()}
    return json.dumps({"space": slug(model, dimensions), **texts})
