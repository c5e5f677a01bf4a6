"""What is known of an embedding model before a project has said anything.

``models/`` holds, for each model that ``soulcaster calibrate`` was run with, the geometry of a
few hundred texts of our own writing: no labels, nobody's data. The same text can be kept in a
store (``soulcaster calibrate --store``); then it counts, not the file.
"""

import json
import re
from functools import lru_cache
from pathlib import Path

from soulcaster.rules.grouping.geometry import Geometry, unknown
from soulcaster.rules.grouping.lens import KINDS
from soulcaster.rules.text_kind import Kind

FOLDER = Path(__file__).parent / "models"


def background(model: str, dimensions: int, stored: str = "") -> dict[Kind, Geometry]:
    """The geometry of each kind's background in the space of ``model``.

    ``stored``: what a store keeps of the model, '' for nothing. What is unreadable or of
    another width does not count. That of an unknown model is a guess, which the project's own
    texts soon outweigh.
    """
    found = _found(model, dimensions, stored)
    return found or {kind: unknown(dimensions) for kind in KINDS}


def is_calibrated(model: str, dimensions: int, stored: str = "") -> bool:
    """Whether anything is known of ``model``."""
    return bool(_found(model, dimensions, stored))


def slug(model: str, dimensions: int) -> str:
    """How a model's space is called in names of files, keys and namespaces."""
    return f"{re.sub(r'[^a-z0-9]+', '-', model.lower())}-{dimensions}"


def _found(model: str, dimensions: int, stored: str) -> dict[Kind, Geometry]:
    return _read(stored, dimensions) or _read(_shipped(slug(model, dimensions)), dimensions)


@lru_cache
def _shipped(name: str) -> str:
    file = FOLDER / f"{name}.json"
    return file.read_text("utf-8") if file.is_file() else ""


@lru_cache(maxsize=4)
def _read(text: str, dimensions: int) -> dict[Kind, Geometry]:
    """The geometries in what ``calibration.to_text`` wrote; empty when it is nothing of that."""
    try:
        page = json.loads(text or "{}")
        found = {kind: Geometry.from_text(json.dumps(page[kind])) for kind in KINDS}
    except (ValueError, KeyError, TypeError):
        return {}
    fits = all(len(geometry.mean) == dimensions for geometry in found.values())
    return found if fits else {}
