"""The trees that tests run in are the commit's and the patch's, and nothing else's."""

import os
import stat
from pathlib import Path

import pytest

from soulcaster_agent.patch import make_patch
from soulcaster_agent.trees import MOST_BYTES_READ, Trees
from tests.agent.proving import Workshop, write
from tests.agent.repositories import commit_all, git


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def laid(trees: Trees, tree: str, folder: Path) -> dict[str, bytes]:
    """The files of a tree, as they are laid out; links as what they lead to."""
    folder.mkdir()
    trees.lay_out(tree, folder)
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = b"-> " + os.fsencode(path.readlink())
        elif path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def test_base_patch_and_tests_alone(workshop: Workshop, tmp_path: Path) -> None:
    """The base is untouched, the patch is whole, and the third has the patch's tests only."""
    clone = workshop.clone(
        {"a.py": "1", "gone.py": "1", "tests/test_a.py": "1", "tests/old.py": ""}
    )
    write(clone, {"a.py": "2", "gone.py": None, "new.py": "2"})
    write(clone, {"tests/test_a.py": "2", "tests/old.py": None, "tests/data/x": "2"})
    trees = workshop.trees()
    assert laid(trees, trees.base, tmp_path / "base") == {
        "a.py": b"1",
        "gone.py": b"1",
        "tests/test_a.py": b"1",
        "tests/old.py": b"",
    }
    tests = {"tests/test_a.py": b"2", "tests/data/x": b"2"}
    assert laid(trees, trees.patch, tmp_path / "patch") == {"a.py": b"2", "new.py": b"2", **tests}
    assert laid(trees, trees.tests, tmp_path / "tests") == {"a.py": b"1", "gone.py": b"1", **tests}
    assert trees.written == ["tests/data/x", "tests/test_a.py"]
    assert trees.touched == ["tests/old.py", "tests/test_a.py"]


def test_a_file_may_make_room_for_a_folder(workshop: Workshop, tmp_path: Path) -> None:
    """And a folder for a file."""
    clone = workshop.clone({"a": "file", "b/c": "folder"})
    write(clone, {"a": None, "b/c": None})
    (clone / "b").rmdir()
    write(clone, {"a/d": "folder", "b": "file"})
    trees = workshop.trees()
    assert laid(trees, trees.patch, tmp_path / "out") == {"a/d": b"folder", "b": b"file"}


def test_nothing_that_git_ignores_is_in_a_tree(workshop: Workshop, tmp_path: Path) -> None:
    """Ignored files, caches and the clone's own git directory stay behind."""
    clone = workshop.clone({"a": "a", ".gitignore": "*.tmp\n"})
    write(clone, {"a": "b", "x.tmp": "", "__pycache__/a.pyc": "", ".git/hooks/post-checkout": ""})
    trees = workshop.trees()
    assert set(laid(trees, trees.patch, tmp_path / "out")) == {"a", ".gitignore"}


def test_what_came_after_the_patch_is_not_in_it(workshop: Workshop, tmp_path: Path) -> None:
    """The trees are those of the patch that is handed in, whatever the clone holds by now."""
    clone = workshop.clone({"a": "a"})
    write(clone, {"a": "b"})
    make_patch(workshop.checkout, workshop.git)
    write(clone, {"a": "c", "later": ""})
    trees = workshop.trees_of_last_patch()
    assert laid(trees, trees.patch, tmp_path / "out") == {"a": b"b"}


def test_no_filter_of_the_repository_or_the_engine_runs(workshop: Workshop, tmp_path: Path) -> None:
    """Attributes name a filter and the clone's configuration has it: nobody asks it."""
    trap = tmp_path / "trapped"
    clone = workshop.clone({"a.txt": "a\n", ".gitattributes": "*.txt filter=trap ident\n"})
    for key in ("filter.trap.smudge", "filter.trap.clean", "filter.trap.process"):
        git(clone, "config", key, f"touch {trap}; cat")
    git(clone, "config", "filter.trap.required", "true")
    write(clone, {"a.txt": "b\n"})
    trees = workshop.trees()
    assert laid(trees, trees.patch, tmp_path / "out")["a.txt"] == b"b\n"
    assert not trap.exists()


def test_line_ends_are_as_in_any_clone(workshop: Workshop, tmp_path: Path) -> None:
    """As the attributes say where they say something, else as they are stored."""
    clone = workshop.clone(
        {"a.bat": "a\n", "b.txt": "a\r\nb\r\n", "c": "c\n", ".gitattributes": "*.bat eol=crlf\n"}
    )
    write(clone, {"c": "c\r\n"})
    trees = workshop.trees()
    found = laid(trees, trees.patch, tmp_path / "out")
    assert (found["a.bat"], found["b.txt"], found["c"]) == (b"a\r\n", b"a\r\nb\r\n", b"c\r\n")


def test_files_that_contradict_their_attributes_change_nothing(
    workshop: Workshop, tmp_path: Path
) -> None:
    """What git takes for a change that nobody made is not in the patch."""
    origin = tmp_path / "origin"
    write(origin, {"b.txt": "a\r\nb\r\n", "a": "a"})
    commit_all(origin)
    # With attributes that came later, the stored file is none that git would store.
    write(origin, {".gitattributes": "*.txt text\n"})
    git(origin, "add", ".gitattributes")
    git(origin, "commit", "--quiet", "--message=attributes")
    write(workshop.clone_of(origin), {"a": "b"})
    trees = workshop.trees()
    assert [each.path for each in trees.changes] == ["a"]
    assert laid(trees, trees.patch, tmp_path / "out")["b.txt"] == b"a\r\nb\r\n"


def test_links_modes_and_submodules_are_kept(workshop: Workshop, tmp_path: Path) -> None:
    """A link stays a link and is never read through; a submodule is an empty folder."""
    clone = workshop.clone({"run.sh": "true", "a": "a"})
    (clone / "run.sh").chmod(0o755)
    (clone / "link").symlink_to("/etc/passwd")
    (clone / "tests").symlink_to("..")
    write(clone, {"sub/a": "a"})
    commit_all(clone / "sub")
    trees = workshop.trees()
    found = laid(trees, trees.patch, tmp_path / "out")
    assert found["link"] == b"-> /etc/passwd"
    assert found["tests"] == b"-> .."
    assert (tmp_path / "out/run.sh").stat().st_mode & stat.S_IXUSR
    assert list((tmp_path / "out/sub").iterdir()) == []
    files = trees.files(trees.patch)
    assert files.paths == ["a", "run.sh"]
    assert files.read("link") == files.read("sub") == ""


def test_files_are_read_from_the_objects(workshop: Workshop) -> None:
    """A text, '' for what is not there or too large, and any bytes as far as they go."""
    clone = workshop.clone({"a": "a", "large": "x" * (MOST_BYTES_READ + 1)})
    (clone / "raw").write_bytes(b"\xff!")
    trees = workshop.trees()
    files = trees.files(trees.patch)
    assert (files.read("a"), files.read("large"), files.read("nowhere")) == ("a", "", "")
    assert files.read("raw") == "\ufffd!"
