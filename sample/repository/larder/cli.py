"""The command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from larder import __version__, commands, storage
from larder.errors import LarderError


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="larder", description="Pantry and shopping list.")
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    add_pantry_verbs(verbs)
    add_recipe_verbs(verbs.add_parser("recipe", help="recipes").add_subparsers(required=True))
    add_shop_verbs(verbs.add_parser("shop", help="the shopping list").add_subparsers(required=True))
    return parser


def add_pantry_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    filters = argparse.ArgumentParser(add_help=False)
    filters.add_argument("--location", help="only what is there")
    filters.add_argument("--days", type=int, help="only what expires within so many days")

    add = verbs.add_parser("add", help="put something in")
    add.add_argument("name")
    add.add_argument("quantity", help='for example "400 g", "1.5 l" or 3')
    add.add_argument("--location", default="cupboard")
    add.add_argument("--expires", help="a date such as 2026-11-20")
    add.set_defaults(run=commands.add)

    show = verbs.add_parser("list", parents=[filters], help="show what there is")
    show.set_defaults(run=commands.list_items)

    remove = verbs.add_parser("remove", parents=[filters], help="take an item off the list")
    remove.add_argument("number", type=int, help="its number in the list")
    remove.set_defaults(run=commands.remove)

    use = verbs.add_parser("use", help="take some of a product out")
    use.add_argument("name")
    use.add_argument("quantity")
    use.set_defaults(run=commands.use)

    total = verbs.add_parser("total", help="how much there is of a product")
    total.add_argument("name")
    total.add_argument("--unit", default="pcs")
    total.set_defaults(run=commands.total)

    export = verbs.add_parser("export", help="write a CSV file")
    export.add_argument("file")
    export.add_argument("--what", choices=["pantry", "shopping"], default="pantry")
    export.set_defaults(run=commands.export_csv)

    read = verbs.add_parser("import", help="add the items of a CSV file")
    read.add_argument("file")
    read.set_defaults(run=commands.import_csv)


def add_recipe_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = verbs.add_parser("add")
    add.add_argument("name")
    add.add_argument("servings", type=int)
    add.add_argument("ingredients", nargs="+", metavar="NAME=QUANTITY")
    add.set_defaults(run=commands.recipe_add)
    verbs.add_parser("list").set_defaults(run=commands.recipe_list)
    show = verbs.add_parser("show")
    show.add_argument("name")
    show.add_argument("--servings", type=int)
    show.set_defaults(run=commands.recipe_show)
    servings = verbs.add_parser("servings")
    servings.add_argument("name")
    servings.set_defaults(run=commands.recipe_servings)


def add_shop_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = verbs.add_parser("add")
    add.add_argument("name")
    add.add_argument("quantity", nargs="?", default="1")
    add.set_defaults(run=commands.shop_add)
    plan = verbs.add_parser("plan")
    plan.add_argument("name", help="a recipe")
    plan.add_argument("--servings", type=int)
    plan.set_defaults(run=commands.shop_plan)
    verbs.add_parser("list").set_defaults(run=commands.shop_list)
    tick = verbs.add_parser("tick")
    tick.add_argument("name")
    tick.set_defaults(run=commands.shop_tick)
    verbs.add_parser("clear").set_defaults(run=commands.shop_clear)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and save; return the exit status."""
    args = build_parser().parse_args(argv)
    path = storage.default_path()
    try:
        larder = storage.load(path)
        text = args.run(larder, args)
        storage.save(larder, path)
    except (LarderError, OSError) as error:
        print(f"larder: {error}", file=sys.stderr)
        return 1
    print(text)
    return 0
