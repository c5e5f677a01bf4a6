"""The patch is read from real clones that were changed in every way a work tree can be."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster_agent import patch as patches
from soulcaster_agent.checkout import Checkout, check_out
from soulcaster_agent.git import Git
from soulcaster_agent.job import Repository
from soulcaster_agent.patch import (
    Patch,
    PatchedFile,
    PatchError,
    make_patch,
    parse_raw,
    patched_file,
)
from tests.agent.repositories import commit_all, git

BASE = {
    "keep.txt": b"kept\n",
    "old.py": b"a = 1\n" * 20,
    "run.sh": b"#!/bin/sh\n",
    "windows.txt": b"one\r\ntwo\r\n",
    "image.png": b"\x89PNG\0\1\2",
    "deep/er/file.txt": b"deep\n",
    ".gitignore": b"ignored/\n",
}


class Clone:
    """A clone as the engine gets it, and the patch of what was done to it."""

    def __init__(self, folder: Path, origin: Path) -> None:
        home = folder / "home"
        home.mkdir(parents=True)
        self.git = Git(home, time.time() + 60)
        repository = Repository(str(origin), "main", None)
        self._checkout: Checkout = check_out(repository, folder, self.git)
        self.path = self._checkout.workdir
        self.base = self._checkout.base

    def patch(self) -> Patch:
        """Return the patch as it stands now."""
        return make_patch(self._checkout, self.git)

    def files(self) -> dict[str, PatchedFile]:
        """Return its files by path."""
        return {each.path: each for each in self.patch().files}


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    for name, content in BASE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "link").symlink_to("keep.txt")
    commit_all(folder)
    return folder


@pytest.fixture
def clone(tmp_path: Path, origin: Path) -> Clone:
    return Clone(tmp_path / "task", origin)


def test_an_untouched_clone_has_no_patch(clone: Clone, origin: Path) -> None:
    """Nothing changed means no file, no diff, and the base is the branch's commit."""
    assert clone.patch() == Patch(git(origin, "rev-parse", "HEAD"), "", [])


def test_staged_unstaged_untracked_and_committed_changes_all_count(clone: Clone) -> None:
    """Where the engine left a change does not matter."""
    (clone.path / "keep.txt").write_text("changed\n")
    (clone.path / "staged.txt").write_text("staged\n")
    git(clone.path, "add", "staged.txt")
    (clone.path / "deep/er/committed.txt").write_text("committed\n")
    git(clone.path, "add", "deep")
    git(clone.path, "commit", "--quiet", "--message=work")
    (clone.path / "new/folder").mkdir(parents=True)
    (clone.path / "new/folder/untracked.txt").write_text("untracked\n")
    files = clone.files()
    assert {path: each.content for path, each in files.items()} == {
        "keep.txt": "changed\n",
        "staged.txt": "staged\n",
        "deep/er/committed.txt": "committed\n",
        "new/folder/untracked.txt": "untracked\n",
    }
    assert {each.mode for each in files.values()} == {"100644"}


def test_a_rename_is_a_deletion_and_an_addition(clone: Clone) -> None:
    """Each path stands for itself; the deletion keeps the mode it had."""
    git(clone.path, "mv", "old.py", "new.py")
    assert clone.patch().files == [
        PatchedFile("new.py", "100644", "a = 1\n" * 20, deleted=False, binary=False),
        PatchedFile("old.py", "100644", None, deleted=True, binary=False),
    ]


def test_binary_files_are_named_without_content(clone: Clone) -> None:
    """A null byte or anything but UTF-8 makes a file binary."""
    (clone.path / "image.png").write_bytes(b"\x89PNG\0\3")
    (clone.path / "latin.txt").write_bytes("é".encode("latin-1"))
    files = clone.files()
    assert {(each.path, each.content, each.binary) for each in files.values()} == {
        ("image.png", None, True),
        ("latin.txt", None, True),
    }


def test_modes_are_reported(clone: Clone) -> None:
    """A changed permission alone is a change, with the content as it is."""
    (clone.path / "run.sh").chmod(0o755)
    files = clone.files()
    assert files == {
        "run.sh": PatchedFile("run.sh", "100755", "#!/bin/sh\n", deleted=False, binary=False)
    }


def test_symbolic_links_are_read_and_not_followed(clone: Clone, tmp_path: Path) -> None:
    """The content of a link is its target, even where that is a folder or outside."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (clone.path / "link").unlink()
    (clone.path / "link").symlink_to("/etc/passwd")
    (clone.path / "folder").symlink_to(outside)
    patch = clone.patch()
    assert patch.files == [
        PatchedFile("folder", "120000", str(outside), deleted=False, binary=False),
        PatchedFile("link", "120000", "/etc/passwd", deleted=False, binary=False),
    ]
    assert "secret" not in patch.diff.replace(str(outside), "")


def test_a_file_replaced_by_a_link_and_a_folder_by_a_file(clone: Clone) -> None:
    """A change of type is told by the new mode, and what was below is deleted."""
    (clone.path / "keep.txt").unlink()
    (clone.path / "keep.txt").symlink_to("old.py")
    (clone.path / "deep/er/file.txt").unlink()
    (clone.path / "deep/er").rmdir()
    (clone.path / "deep/er").write_text("a file now\n")
    assert {(each.path, each.mode, each.deleted) for each in clone.patch().files} == {
        ("keep.txt", "120000", False),
        ("deep/er", "100644", False),
        ("deep/er/file.txt", "100644", True),
    }


def test_a_nested_repository_is_a_submodule_that_nobody_enters(clone: Clone) -> None:
    """It is named with its mode; one without a commit is left out, and that is said."""
    for name in ("nested", "empty"):
        (clone.path / name).mkdir()
        git(clone.path / name, "init", "--quiet")
        (clone.path / name / "inside.txt").write_text("inside\n")
    commit_all(clone.path / "nested")
    (clone.path / "keep.txt").write_text("changed\n")
    files = clone.files()
    assert files["nested"] == PatchedFile("nested", "160000", None, deleted=False, binary=False)
    assert set(files) == {"nested", "keep.txt"}
    assert "empty" in clone.git.complaints[0]


def test_names_in_other_scripts_with_spaces_quotes_and_newlines(clone: Clone) -> None:
    """Paths come through as they are, and readable in the diff."""
    names = ["crème brûlée.txt", "味噌/汁.txt", 'a "b".txt', "line\nbreak.txt", "-dash", ":(glob)*"]
    for name in names:
        (clone.path / name).parent.mkdir(exist_ok=True)
        (clone.path / name).write_text("x\n")
    patch = clone.patch()
    assert sorted(each.path for each in patch.files) == sorted(names)
    assert "味噌/汁.txt" in patch.diff


def test_a_path_that_is_not_utf_8_is_refused(clone: Clone) -> None:
    """JSON can't carry it, and it must not vanish silently."""
    descriptor = os.open(os.fsencode(clone.path) + b"/caf\xe9", os.O_CREAT | os.O_WRONLY)
    os.close(descriptor)
    with pytest.raises(PatchError, match=r"caf\\xe9"):
        clone.patch()


def test_line_ends_stay_as_they_are(clone: Clone) -> None:
    """CRLF in, CRLF out."""
    (clone.path / "windows.txt").write_bytes(b"one\r\n2\r\n")
    assert clone.files()["windows.txt"].content == "one\r\n2\r\n"


def test_line_end_attributes_do_not_touch_files_the_engine_left_alone(
    tmp_path: Path, origin: Path
) -> None:
    """A repository whose files contradict its attributes is not rewritten by a patch."""
    (origin / ".gitattributes").write_text("*.txt text\n")
    git(origin, "add", ".gitattributes")
    git(origin, "commit", "--quiet", "--message=attributes")
    clone = Clone(tmp_path / "other", origin)
    (clone.path / "run.sh").write_text("#!/bin/sh\nexit\n")
    (clone.path / "windows.txt").touch()
    assert set(clone.files()) == {"run.sh"}
    assert clone.base == git(origin, "rev-parse", "HEAD")


def test_what_tests_leave_behind_is_no_part_of_a_patch(clone: Clone) -> None:
    """Caches and what the repository ignores are left out, also with no .gitignore for them."""
    for name in ("__pycache__/a.pyc", "node_modules/x/i.js", ".pytest_cache/v", "ignored/file"):
        (clone.path / name).parent.mkdir(parents=True)
        (clone.path / name).write_text("x")
    assert clone.files() == {}


def test_too_much_is_refused_before_it_is_read(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both bounds give a reason with numbers."""
    (clone.path / "big.txt").write_text("x" * 1001)
    (clone.path / "small.txt").write_text("x")
    monkeypatch.setattr(patches, "MOST_BYTES", 1000)
    with pytest.raises(PatchError, match="1,002 bytes"):
        clone.patch()
    monkeypatch.setattr(patches, "MOST_FILES", 1)
    with pytest.raises(PatchError, match="2 files"):
        clone.patch()


def test_a_work_tree_that_became_a_link_is_refused(clone: Clone, tmp_path: Path) -> None:
    """The rest of the disk is never read as if it were the repository."""
    clone.path.rename(tmp_path / "elsewhere")
    clone.path.symlink_to(tmp_path)
    with pytest.raises(PatchError, match="removed"):
        clone.patch()


def test_the_diff_applies_to_the_base(clone: Clone, origin: Path) -> None:
    """What people read is what the files say."""
    git(clone.path, "mv", "old.py", "new.py")
    (clone.path / "keep.txt").write_text("changed\n")
    (clone.path / "windows.txt").write_bytes(b"one\r\n2\r\n")
    diff = clone.patch().diff
    subprocess.run(["git", "apply", "--index"], cwd=origin, input=diff.encode(), check=True)
    assert (origin / "keep.txt").read_text() == "changed\n"
    assert (origin / "windows.txt").read_bytes() == b"one\r\n2\r\n"
    assert not (origin / "old.py").exists()


@given(st.binary())
def test_content_is_text_only_when_it_comes_back_the_same(content: bytes) -> None:
    """No byte is lost: either the text encodes to the same bytes, or there is no text."""
    change = parse_raw(b":100644 100644 " + b"0" * 40 + b" " + b"1" * 40 + b" M\0a\0")[0]
    file = patched_file(change, content)
    if file.binary:
        assert file.content is None
    else:
        assert file.content is not None
        assert file.content.encode() == content
