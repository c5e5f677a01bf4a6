"""One bare repository, driven by the real git. Needs git 2.38 or newer (for merges)."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SHA = re.compile(r"[0-9a-f]{40}")
_ZERO = "0" * 40


class GitError(Exception):
    """git ended with ``code``; the message is what it wrote to standard error."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Person:
    """Who made a commit and when (ISO 8601 with a zone)."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class CommitLine:
    """A commit as a list shows it."""

    sha: str
    author: str
    date: str
    subject: str


def environment() -> dict[str, str]:
    """What git needs and nothing else: the user's configuration must not change a commit."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "XDG_CONFIG_HOME": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C",
    }


@dataclass(frozen=True)
class Git:
    """Branches are given by their short name, commits by their 40 digits."""

    path: Path

    def run(self, *args: str, data: bytes = b"", env: dict[str, str] | None = None) -> bytes:
        """Standard output of ``git args``; raises ``GitError``."""
        done = subprocess.run(
            ["git", "--git-dir", str(self.path), *args],
            input=data,
            capture_output=True,
            env={**environment(), **(env or {})},
            check=False,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise GitError(said or f"git {args[0]} failed", done.returncode)
        return done.stdout

    def _line(self, *args: str, data: bytes = b"", env: dict[str, str] | None = None) -> str:
        return self.run(*args, data=data, env=env).decode().strip()

    def has(self, sha: str, kind: str) -> bool:
        """Whether ``sha`` is an object of this kind (``commit``, ``tree``, ``blob``)."""
        if not SHA.fullmatch(sha):
            return False
        try:
            return self._line("cat-file", "-t", sha) == kind
        except GitError:
            return False

    def branch(self, name: str) -> str | None:
        """The commit that a branch points at, or None."""
        return self.refs(f"refs/heads/{name}").get(f"refs/heads/{name}")

    def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """Every ref whose full name starts with ``prefix``, by name."""
        lines = self._line("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        pairs = (line.split(" ") for line in lines)
        return {name: sha for name, sha in pairs if name.startswith(prefix)}

    def write_blob(self, content: bytes) -> str:
        return self._line("hash-object", "-w", "--stdin", data=content)

    def read_blob(self, commit: str, path: str) -> bytes:
        return self.run("cat-file", "blob", f"{commit}:{path}")

    def write_tree(self, base: str | None, entries: Iterable[tuple[str, str | None, str]]) -> str:
        """The tree ``base`` with ``(mode, blob or None to delete, path)`` applied.

        Raises ``GitError`` for a path that git doesn't take, such as ``../a``.
        """
        entries = list(entries)
        lines = [f"{mode if sha else 0} {sha or _ZERO}\t{path}\0" for mode, sha, path in entries]
        with tempfile.TemporaryDirectory(dir=self.path) as folder:
            env = {"GIT_INDEX_FILE": f"{folder}/index"}
            self.run("read-tree", base or "--empty", env=env)
            self.run("update-index", "-z", "--index-info", data="".join(lines).encode(), env=env)
            kept = set(self.run("ls-files", "-z", env=env).decode(errors="replace").split("\0"))
            # update-index leaves such a path out and calls that success.
            if not {path for _, sha, path in entries if sha} <= kept:
                raise GitError("a path was left out")
            return self._line("write-tree", env=env)

    def snapshot(self, folder: Path) -> str:
        """The tree of a folder's files; what its ``.gitignore`` names is left out."""
        with tempfile.TemporaryDirectory(dir=self.path) as scratch:
            env = {"GIT_INDEX_FILE": f"{scratch}/index", "GIT_WORK_TREE": str(folder)}
            self.run("-C", str(folder), "add", "--all", ".", env=env)
            return self._line("write-tree", env=env)

    def tree(self, sha: str) -> list[tuple[str, str, str, str]]:
        """Mode, kind, sha and name of each entry of a tree, or of a commit's tree."""
        found = self.run("ls-tree", "-z", sha).decode(errors="replace").split("\0")
        parts = (line.partition("\t") for line in found if line)
        return [(*_three(left), name) for left, _, name in parts]

    def commit(
        self, tree: str, parents: list[str], message: str, author: Person, committer: Person
    ) -> str:
        """Write a commit; the same arguments give the same sha."""
        env = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": author.date,
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": committer.date,
        }
        flags = [flag for parent in parents for flag in ("-p", parent)]
        return self._line("commit-tree", *flags, tree, data=message.encode(), env=env)

    def update_ref(self, ref: str, new: str, old: str = _ZERO) -> None:
        """Move ``ref`` from ``old``; raises ``GitError`` when it is elsewhere (or exists)."""
        self.run("check-ref-format", ref)
        self.run("update-ref", ref, new, old)

    def is_ancestor(self, old: str, new: str) -> bool:
        try:
            self.run("merge-base", "--is-ancestor", old, new)
        except GitError:
            return False
        return True

    def merge_base(self, one: str, two: str) -> str:
        """The newest commit that both have; the empty tree when they share none."""
        try:
            return self._line("merge-base", one, two)
        except GitError:
            return self._line("hash-object", "-t", "tree", "-w", "--stdin")

    def merge_tree(self, base: str, head: str) -> str | None:
        """The tree of the two merged, or None when they conflict."""
        try:
            return self._line("merge-tree", "--write-tree", base, head).splitlines()[0]
        except GitError as error:
            if error.code != 1:
                raise
            return None

    def log(self, *revisions: str, limit: int = 100) -> list[CommitLine]:
        """Commits, newest first."""
        form = "--format=%H%x1f%an%x1f%aI%x1f%s"
        found = self.run("log", "-z", form, f"-{limit}", *revisions, "--")
        lines = found.decode(errors="replace").split("\0")
        return [CommitLine(*line.split("\x1f", 3)) for line in lines if line]


def _three(text: str) -> tuple[str, str, str]:
    one, two, three = text.split(" ", 2)
    return one, two, three
