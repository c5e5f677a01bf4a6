"""What each command of the command line does: larder and arguments in, text out."""

from __future__ import annotations

from argparse import Namespace
from datetime import date, timedelta
from pathlib import Path

from larder import export, importer, recipes
from larder.errors import LarderError
from larder.expiry import describe
from larder.items import Item, parse_date
from larder.recipes import Ingredient, Recipe
from larder.storage import Larder
from larder.table import table
from larder.units import parse_quantity


def add(larder: Larder, args: Namespace) -> str:
    expires = parse_date(args.expires) if args.expires else None
    new = Item(args.name, parse_quantity(args.quantity), args.location, expires)
    item = larder.pantry.add(new)
    return f"{item.name}: {item.quantity} in the {item.location}"


def list_items(larder: Larder, args: Namespace) -> str:
    within = timedelta(days=args.days) if args.days is not None else None
    shown = larder.pantry.view(args.location, within)
    today = date.today()
    rows = [
        [str(number), item.name, str(item.quantity), item.location, describe(item.expires, today)]
        for number, item in enumerate(shown, start=1)
    ]
    return table(["#", "name", "quantity", "location", "expires"], rows)


def remove(larder: Larder, args: Namespace) -> str:
    item = larder.pantry.remove_number(args.number)
    return f"removed {item.name}"


def use(larder: Larder, args: Namespace) -> str:
    quantity = parse_quantity(args.quantity)
    larder.pantry.use(args.name, quantity)
    return f"used {quantity} of {args.name}"


def total(larder: Larder, args: Namespace) -> str:
    return f"{args.name}: {larder.pantry.total(args.name, args.unit)}"


def recipe_add(larder: Larder, args: Namespace) -> str:
    ingredients = []
    for text in args.ingredients:
        name, equals, quantity = text.partition("=")
        if not equals:
            raise LarderError(f'write an ingredient as "flour=250 g", not {text!r}')
        ingredients.append(Ingredient(name.strip(), parse_quantity(quantity)))
    larder.recipes[args.name.casefold()] = Recipe(args.name, args.servings, ingredients)
    return f"{args.name}: {len(ingredients)} ingredients for {args.servings}"


def recipe_list(larder: Larder, args: Namespace) -> str:
    rows = [[recipe.name, str(recipe.servings)] for recipe in larder.recipes.values()]
    return table(["recipe", "servings"], sorted(rows))


def recipe_show(larder: Larder, args: Namespace) -> str:
    recipe = larder.recipe(args.name)
    if args.servings is not None:
        recipe = recipes.scale(recipe, args.servings)
    rows = [[each.name, str(each.quantity)] for each in recipe.ingredients]
    return f"{recipe.name}, serves {recipe.servings}\n{table(['ingredient', 'quantity'], rows)}"


def recipe_servings(larder: Larder, args: Namespace) -> str:
    recipe = larder.recipe(args.name)
    return f"enough for {recipes.servings_possible(recipe, larder.pantry)} servings"


def shop_add(larder: Larder, args: Namespace) -> str:
    entry = larder.shopping.add(args.name, parse_quantity(args.quantity))
    return f"to buy: {entry.quantity} {entry.name}"


def shop_plan(larder: Larder, args: Namespace) -> str:
    recipe = larder.recipe(args.name)
    if args.servings is not None:
        recipe = recipes.scale(recipe, args.servings)
    lacking = recipes.missing(recipe, larder.pantry)
    for ingredient in lacking:
        larder.shopping.add(ingredient.name, ingredient.quantity)
    return f"{len(lacking)} ingredients put on the shopping list"


def shop_list(larder: Larder, args: Namespace) -> str:
    rows = [
        ["x" if entry.done else " ", entry.name, str(entry.quantity)]
        for entry in larder.shopping.entries
    ]
    return table(["", "name", "quantity"], rows)


def shop_tick(larder: Larder, args: Namespace) -> str:
    return f"bought: {larder.shopping.tick(args.name).name}"


def shop_clear(larder: Larder, args: Namespace) -> str:
    return f"{larder.shopping.clear_done()} entries cleared"


def export_csv(larder: Larder, args: Namespace) -> str:
    path = Path(args.file)
    if args.what == "shopping":
        count = export.export_shopping(larder.shopping, path)
    else:
        count = export.export_pantry(larder.pantry, path)
    return f"{count} rows written to {path}"


def import_csv(larder: Larder, args: Namespace) -> str:
    return f"{importer.import_pantry(larder.pantry, Path(args.file))} items added"
