"""The state of a work tree as a git tree, whatever the engine did to its repository."""

from dataclasses import dataclass
from pathlib import Path

from soulcaster_agent.git import Git

# What running tests leaves behind and no fix is made of; a repository's own ignore
# rules come on top, and what it already tracks is not touched by either.
DROPPINGS = (
    "__pycache__/",
    "*.py[cod]",
    "*.egg-info/",
    ".coverage",
    ".venv/",
    ".*_cache/",
    ".hypothesis/",
    ".tox/",
    "node_modules/",
    ".DS_Store",
)


@dataclass(frozen=True)
class Camera:
    """Takes snapshots of ``workdir`` into ``store``, a bare repository.

    It uses the store's configuration and an index of its own, so nothing that the
    engine writes into its clone's ``.git`` is ever run or believed.
    """

    workdir: Path
    store: Path
    index: Path

    def environment(self) -> dict[str, str]:
        """Return the variables that point git at the store and the work tree."""
        return {
            "GIT_DIR": str(self.store),
            "GIT_WORK_TREE": str(self.workdir),
            "GIT_INDEX_FILE": str(self.index),
        }

    def take(self, git: Git) -> str:
        """Return the tree of all files as they are now, without what is ignored."""
        droppings = self.index.with_name("droppings")
        droppings.write_text("\n".join(DROPPINGS), encoding="utf-8")
        # Status 1: a folder that is a repository without a commit can't be added.
        git(
            "-c",
            f"core.excludesFile={droppings}",
            "-c",
            "advice.addEmbeddedRepo=false",
            "add",
            "--all",
            "--ignore-errors",
            env=self.environment(),
            ok=(0, 1),
        )
        return git("write-tree", env=self.environment()).decode("ascii").strip()
