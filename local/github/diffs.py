"""What a pull request changes, file by file."""

import re
from dataclasses import dataclass

from local.github.git import Git

_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "T": "changed"}
_FILE = re.compile(r"^diff --git ", re.MULTILINE)


@dataclass(frozen=True)
class FileDiff:
    """One file: ``patch`` starts at the first ``@@`` and is empty for a binary file."""

    path: str
    before: str
    status: str
    sha: str
    patch: str

    @property
    def additions(self) -> int:
        return sum(line.startswith("+") for line in self.patch.split("\n"))

    @property
    def deletions(self) -> int:
        return sum(line.startswith("-") for line in self.patch.split("\n"))


def changed_files(git: Git, base: str, head: str) -> list[FileDiff]:
    """What ``head`` changed since it left ``base``, in the order of the paths."""
    since = git.merge_base(base, head)
    raw = git.run("diff", "--raw", "--abbrev=40", "-z", "-M", since, head).decode(errors="replace")
    flags = ("--no-color", "--no-ext-diff", "--no-textconv", "-M", "-p")
    text = git.run("diff", *flags, since, head).decode(errors="replace")
    patches = _FILE.split(text)[1:]
    fields = iter(raw.split("\0"))
    found: list[FileDiff] = []
    for described in fields:
        if not described:
            break
        *_, old, new, status = described.removeprefix(":").split(" ")
        before = next(fields)
        path = next(fields) if status[0] in "RC" else before
        _, start, patch = patches[len(found)].partition("\n@@")
        sha = old if status == "D" else new
        hunks = f"@@{patch}".rstrip("\n") if start else ""
        found.append(FileDiff(path, before, _STATUS.get(status[0], "modified"), sha, hunks))
    return found
