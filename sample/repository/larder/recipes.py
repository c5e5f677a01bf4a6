"""Recipes: what they need, and for how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from larder.errors import LarderError
from larder.pantry import Pantry
from larder.units import Quantity, convert


@dataclass
class Ingredient:
    name: str
    quantity: Quantity


@dataclass
class Recipe:
    """The ingredients for a number of servings."""

    name: str
    servings: int
    ingredients: list[Ingredient]

    def __post_init__(self) -> None:
        if self.servings < 1:
            raise LarderError("a recipe is for at least one serving")

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "servings": self.servings,
            "ingredients": [
                {"name": each.name, "amount": each.quantity.amount, "unit": each.quantity.unit}
                for each in self.ingredients
            ],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Recipe:
        ingredients = [
            Ingredient(each["name"], Quantity(float(each["amount"]), each["unit"]))
            for each in data["ingredients"]
        ]
        return cls(data["name"], int(data["servings"]), ingredients)


def scale(recipe: Recipe, servings: int) -> Recipe:
    """Return the recipe for another number of servings."""
    factor = servings / recipe.servings
    for ingredient in recipe.ingredients:
        ingredient.quantity = ingredient.quantity.times(factor)
    return Recipe(recipe.name, servings, recipe.ingredients)


def missing(recipe: Recipe, pantry: Pantry) -> list[Ingredient]:
    """Return what has to be bought to cook the recipe, in the recipe's units."""
    lacking = []
    for ingredient in recipe.ingredients:
        unit = ingredient.quantity.unit
        short = ingredient.quantity.amount - pantry.total(ingredient.name, unit).amount
        if short > 0:
            lacking.append(Ingredient(ingredient.name, Quantity(short, unit)))
    return lacking


def servings_possible(recipe: Recipe, pantry: Pantry) -> int:
    """Return how many servings the pantry is good for."""
    times = []
    for ingredient in recipe.ingredients:
        batches = pantry.find(ingredient.name)
        if not batches:
            return 0
        unit = batches[0].quantity.unit
        needed = convert(ingredient.quantity, unit)
        times.append(pantry.total(ingredient.name, unit).amount / needed.amount)
    return int(min(times) * recipe.servings) if times else 0
