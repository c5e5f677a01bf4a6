"""What changed in the work tree since the base commit."""

import json
from dataclasses import asdict, dataclass

from soulcaster_agent.checkout import Checkout
from soulcaster_agent.git import Git

MOST_FILES = 1_000
MOST_BYTES = 5_000_000
MOST_DIFF_CHARACTERS = 1_000_000
SUBMODULE = "160000"


class PatchError(Exception):
    """The change can't be handed in; the text is for people."""


@dataclass(frozen=True)
class PatchedFile:
    """One path after the change; a rename is a deletion and an addition.

    ``content`` is the text, for a symbolic link its target; None when the file is
    deleted, binary or a submodule. ``mode`` is the mode before, for a deletion.
    """

    path: str
    mode: str
    content: str | None
    deleted: bool
    binary: bool


@dataclass(frozen=True)
class Patch:
    """All changes against the commit ``base``, and the same as a diff for people."""

    base: str
    diff: str
    files: list[PatchedFile]

    def to_json(self, summary: str) -> bytes:
        """Return the document that is uploaded."""
        document = {
            "base": self.base,
            "summary": summary,
            "diff": self.diff,
            "files": [asdict(each) for each in self.files],
        }
        return json.dumps(document, ensure_ascii=False).encode()


@dataclass(frozen=True)
class Change:
    """One line of git's raw diff."""

    path: str
    mode: str
    blob: str
    deleted: bool

    @property
    def has_content(self) -> bool:
        """Whether there is something to read: not for deletions and submodules."""
        return not self.deleted and self.mode != SUBMODULE


def make_patch(checkout: Checkout, git: Git) -> Patch:
    """Compare the files with what was checked out, committed or not, staged or not.

    Symbolic links are read as links, submodules are named and not entered. Raises
    PatchError for what no patch can hold.
    """
    if checkout.workdir.is_symlink() or not checkout.workdir.is_dir():
        raise PatchError("The engine removed the work tree.")
    env = checkout.camera.environment()
    options = ("-r", "--no-renames", checkout.tree, checkout.camera.take(git))
    changes = parse_raw(git("diff-tree", "--raw", "-z", *options, env=env))
    if len(changes) > MOST_FILES:
        raise PatchError(f"The change touches {len(changes)} files; at most {MOST_FILES} can be.")
    contents = read_blobs([each.blob for each in changes if each.has_content], git, env)
    diff = git("-c", "core.quotePath=false", "diff-tree", "--patch", *options, env=env)
    return Patch(
        base=checkout.base,
        diff=cut(diff.decode(errors="replace")),
        files=[patched_file(each, contents.get(each.blob, b"")) for each in changes],
    )


def parse_raw(raw: bytes) -> list[Change]:
    """Read ``git diff-tree --raw -z``; raises PatchError for a path that is not UTF-8."""
    fields = raw.split(b"\0")
    changes = []
    for meta, path in zip(fields[::2], fields[1::2], strict=False):
        old_mode, new_mode, _, blob, status = meta.decode("ascii").lstrip(":").split(" ")
        deleted = status == "D"
        try:
            name = path.decode()
        except UnicodeDecodeError:
            shown = path.decode(errors="backslashreplace")
            raise PatchError(f"The path {shown} is not UTF-8.") from None
        changes.append(Change(name, old_mode if deleted else new_mode, blob, deleted))
    return changes


def read_blobs(blobs: list[str], git: Git, env: dict[str, str]) -> dict[str, bytes]:
    """Return the contents by blob name; raises PatchError before reading too much."""
    names = "".join(f"{blob}\n" for blob in dict.fromkeys(blobs)).encode("ascii")
    sizes = git("cat-file", "--batch-check=%(objectsize)", stdin=names, env=env)
    total = sum(int(size) for size in sizes.split())
    if total > MOST_BYTES:
        raise PatchError(f"The changed files hold {total:,} bytes; at most {MOST_BYTES:,} can be.")
    raw = git("cat-file", "--batch", stdin=names, env=env)
    contents, at = {}, 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        name, _, size = raw[at:end].decode("ascii").split(" ")
        start, at = end + 1, end + 1 + int(size) + 1
        contents[name] = raw[start : at - 1]
    return contents


def patched_file(change: Change, content: bytes) -> PatchedFile:
    """Join a change with its content; what is not UTF-8 text is binary."""
    text = None
    if change.has_content and b"\0" not in content:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = None
    binary = change.has_content and text is None
    return PatchedFile(change.path, change.mode, text, change.deleted, binary)


def cut(diff: str) -> str:
    """Shorten a diff that nobody would read to its end."""
    if len(diff) <= MOST_DIFF_CHARACTERS:
        return diff
    return diff[:MOST_DIFF_CHARACTERS] + "\n… the rest of the diff is left out\n"
