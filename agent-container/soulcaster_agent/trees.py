"""The trees that tests are run in: made of git objects, so of nothing that lay about."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from soulcaster_agent.checkout import Checkout
from soulcaster_agent.convention import is_test
from soulcaster_agent.git import Git
from soulcaster_agent.patch import Change, parse_raw

REGULAR = {"100644", "100755"}
MOST_BYTES_READ = 200_000


@dataclass(frozen=True)
class TreeFiles:
    """The regular files of a tree; see convention.Files. Symbolic links are none."""

    git: Git
    store: Path
    tree: str

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The size of each file in bytes, by path; a path may hold bytes that are no UTF-8."""
        raw = self.git("ls-tree", "-r", "-z", "-l", self.tree, env={"GIT_DIR": str(self.store)})
        found = {}
        for entry in raw.split(b"\0")[:-1]:
            meta, _, path = entry.partition(b"\t")
            mode, _, _, size = meta.decode("ascii").split()
            if mode in REGULAR:
                found[path.decode(errors="surrogateescape")] = int(size)
        return found

    @property
    def paths(self) -> list[str]:
        """See convention.Files."""
        return list(self.sizes)

    def read(self, path: str) -> str:
        """See convention.Files."""
        if self.sizes.get(path, MOST_BYTES_READ + 1) > MOST_BYTES_READ:
            return ""
        env = {"GIT_DIR": str(self.store)}
        return self.git("cat-file", "blob", f"{self.tree}:{path}", env=env).decode(errors="replace")


@dataclass(frozen=True)
class Trees:
    """Tree names in the store: what was there before, the patch, and its tests alone.

    ``patch`` is the base commit with the patch's changes, which is what a pull request
    would hold. ``tests`` is the base commit with only those changes that are to tests.
    """

    git: Git
    store: Path
    base: str
    patch: str
    tests: str
    changes: tuple[Change, ...]

    @property
    def written(self) -> list[str]:
        """The test files that the patch adds or changes."""
        return [each.path for each in self.changes if is_test(each.path) and not each.deleted]

    @property
    def touched(self) -> list[str]:
        """The test files that were there before and that the patch changes or deletes."""
        before = frozenset(self.files(self.base).paths)
        return [each.path for each in self.changes if is_test(each.path) and each.path in before]

    def files(self, tree: str) -> TreeFiles:
        """Return the files of a tree, to read."""
        return TreeFiles(self.git, self.store, tree)

    def lay_out(self, tree: str, folder: Path) -> None:
        """Write a tree into an empty folder; raises GitError or DeadlinePassedError.

        Git knows only the store's configuration, in which there is neither a filter nor a
        hook; line ends are as the repository's attributes want them, as in any clone.
        """
        env = {**index_of(self.store), "GIT_WORK_TREE": str(folder)}
        forget_index(self.store)
        self.git("read-tree", "--reset", "-u", tree, env=env)


def make_trees(checkout: Checkout, git: Git) -> Trees:
    """Return the trees for the patch that was made last; reads the store only.

    Raises GitError, DeadlinePassedError, and PatchError where make_patch would.
    """
    camera = checkout.camera
    base = f"{checkout.base}^{{tree}}"
    snapshot = git("write-tree", env=camera.environment()).decode("ascii").strip()
    options = ("--raw", "-z", "-r", "--no-renames", checkout.tree, snapshot)
    changes = parse_raw(git("diff-tree", *options, env=camera.environment()))
    tests = [each for each in changes if is_test(each.path)]
    return Trees(
        git,
        camera.store,
        git("rev-parse", base, env={"GIT_DIR": str(camera.store)}).decode("ascii").strip(),
        changed_tree(camera.store, base, changes, git),
        changed_tree(camera.store, base, tests, git),
        tuple(changes),
    )


def changed_tree(store: Path, base: str, changes: list[Change], git: Git) -> str:
    """Return the tree that results from changes to a tree."""
    env = index_of(store)
    forget_index(store)
    git("read-tree", base, env=env)
    # Deletions first: a file may make room for a folder of its name.
    ordered = sorted(changes, key=lambda each: not each.deleted)
    stdin = "".join(f"{index_line(each)}\0" for each in ordered).encode()
    git("update-index", "-z", "--index-info", env=env, stdin=stdin)
    return git("write-tree", env=env).decode("ascii").strip()


def index_line(change: Change) -> str:
    """Return a change as git's index takes it: with mode 0 a path is removed."""
    return f"{0 if change.deleted else change.mode} {change.blob}\t{change.path}"


def index_of(store: Path) -> dict[str, str]:
    """Return the variables for work with an index beside the store."""
    return {"GIT_DIR": str(store), "GIT_INDEX_FILE": str(store.with_name("proof-index"))}


def forget_index(store: Path) -> None:
    """Start with an empty index: a tree is laid out whole, and not as a difference."""
    store.with_name("proof-index").unlink(missing_ok=True)
