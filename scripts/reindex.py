"""Put vectors into the index anew: after another embedding model was chosen, or it was lost."""

import argparse

from soulcaster import wiring
from soulcaster.use_cases.reindex import reindex

ABOUT = "embed feedback anew and put its vectors into the index, from what Redis holds"


class NoProject(ValueError):  # noqa: N818 - names what is wrong
    """There is no such project."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What ``run`` is told."""
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("projects", nargs="*", default=[], metavar="PROJECT", help="their ids")
    chosen.add_argument("--all", action="store_true", help="every project")
    parser.add_argument(
        "--only-missing",
        action="store_true",
        help="leave alone what the index has; goes on where an earlier run was cut off",
    )


def run(options: argparse.Namespace) -> int:
    """Reindex one project after another; what was done stays done when a later one fails."""
    known = [project.id for project in wiring.projects().all()]
    wanted = known if options.all else options.projects
    for project in wanted:
        # Before anything is done: a slip of the pen must not leave half of it done.
        if project not in known:
            raise NoProject(f"there is no project {project!r}")
    for project in wanted:
        done = reindex(
            project,
            feedback=wiring.feedback(),
            vectors=wiring.vectors(),
            gemini=wiring.gemini(),
            only_missing=options.only_missing,
        )
        if done is None:
            raise NoProject(f"there is no project {project!r}")
        print(f"{project}: {done.items} items, {done.embedded} of them embedded", flush=True)
    return 0
