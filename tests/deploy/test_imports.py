"""Each function can be imported with what is deployed with it, and nothing more."""

import re
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers/common"
# In the template each function says where its code is and, next, which part of it is called.
HANDLERS = re.findall(
    r"CodeUri: (functions/\w+)\n +Handler: (\w+)\.\w+\n", (ROOT / "template.yaml").read_text()
)
# What is only imported when it is first used.
LATE = {
    "poll": {"soulcaster.edges.github", "soulcaster.edges.reddit", "praw", "prawcore"},
    "cluster": {"soulcaster.edges.gemini", "soulcaster.edges.vector", "google.genai", "httpx2"},
    "app": {
        *("soulcaster.edges.queues", "soulcaster.edges.gemini", "soulcaster.edges.vector"),
        *("google.genai", "httpx2"),
    },
    "dispatch": {"soulcaster.edges.tasks"},
    "callback": {"soulcaster.edges.bucket", "soulcaster.edges.github"},
    "publish": {"soulcaster.edges.bucket", "soulcaster.edges.github"},
    "observe": {"soulcaster.edges.queues"},
    "reap": {"soulcaster.edges.queues", "soulcaster.edges.tasks"},
}


@cache
def installed(requirements: Path) -> frozenset[str]:
    """The files of the distributions that a requirements.txt names."""
    names = re.findall(r"^([A-Za-z0-9._-]+)==", requirements.read_text(), re.MULTILINE)
    assert names, requirements
    files = set()
    for name in names:
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # it is for another platform; if not, an import fails
        files |= {str(found.locate_file(file)) for file in found.files or []}
    return frozenset(files)


def imported(code: Path, module: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Import a handler as it would be deployed; prints what it imports later."""
    files = tmp_path / "files"
    allowed = installed(code / "requirements.txt") | installed(LAYER / "requirements.txt")
    files.write_text("\n".join(allowed))
    program = Path(__file__).with_name("imports.py")
    return subprocess.run(
        [sys.executable, "-I", str(program), module, str(code), str(LAYER), str(files)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_handler_is_looked_at() -> None:
    """The template's functions are those that are imported below."""
    assert len(HANDLERS) == (ROOT / "template.yaml").read_text().count("Handler:")
    assert {module for _, module in HANDLERS} >= {"receive", "store", *LATE}


@pytest.mark.parametrize(("folder", "module"), sorted(set(HANDLERS)))
def test_a_handler_needs_what_is_deployed(folder: str, module: str, tmp_path: Path) -> None:
    """Neither it nor what it imports later needs more than its requirements and the layer's."""
    done = imported(ROOT / folder, module, tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) >= LATE.get(module, set())


def test_what_is_not_deployed_is_missed(tmp_path: Path) -> None:
    """A package that only other functions have can't be imported, early or late."""
    (tmp_path / "requirements.txt").write_text("six==1\n")
    for name, text in (("early", "import numpy"), ("late", "def use():\n    import numpy")):
        (tmp_path / f"{name}.py").write_text(text)
        done = imported(tmp_path, name, tmp_path)
        assert done.returncode != 0
        assert "numpy is not deployed" in done.stderr
