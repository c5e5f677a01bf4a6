"""The one file everything is kept in."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from larder.errors import LarderError
from larder.items import Item
from larder.pantry import Pantry
from larder.recipes import Recipe
from larder.shopping import ShoppingList


@dataclass
class Larder:
    """Everything a household keeps."""

    pantry: Pantry = field(default_factory=Pantry)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    shopping: ShoppingList = field(default_factory=ShoppingList)

    def recipe(self, name: str) -> Recipe:
        try:
            return self.recipes[name.casefold()]
        except KeyError:
            raise LarderError(f"there is no recipe {name!r}") from None


def default_path() -> Path:
    named = os.environ.get("LARDER_FILE")
    return Path(named) if named else Path.home() / ".larder.json"


def load(path: Path) -> Larder:
    """Read the file; a larder that was never saved is empty."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Larder()
    except json.JSONDecodeError as error:
        raise LarderError(f"{path} is damaged: {error}") from None
    recipes = [Recipe.from_json(each) for each in data["recipes"]]
    return Larder(
        pantry=Pantry([Item.from_json(each) for each in data["items"]]),
        recipes={recipe.name.casefold(): recipe for recipe in recipes},
        shopping=ShoppingList.from_json(data["shopping"]),
    )


def save(larder: Larder, path: Path) -> None:
    """Replace the file in one step, so that a crash leaves the old one."""
    data = {
        "items": [item.to_json() for item in larder.pantry.items],
        "recipes": [recipe.to_json() for recipe in larder.recipes.values()],
        "shopping": larder.shopping.to_json(),
    }
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(data, indent=2, ensure_ascii=False), encoding="utf-8")
    new.replace(path)
