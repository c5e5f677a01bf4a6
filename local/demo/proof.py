"""Checks out a pull request's branch and runs the repository's tests, on it and without it."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SECONDS = 120


@dataclass(frozen=True)
class Proof:
    """Whether the tests pass on the branch, with what they printed; whether the branch's tests
    fail on the base's code.
    """

    passes: bool
    says: str
    fails_before: bool


def prove(clone_url: str, token: str, base: str, branch: str) -> Proof:
    """Run the sample's tests in a fresh clone; raises ``OSError`` when there can be none."""
    address = clone_url.replace("http://", f"http://x-access-token:{token}@")
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "repository")
        _git(home, "clone", "--quiet", "--branch", branch, address, str(folder))
        after = _unittest(home, folder)
        _git(home, "-C", str(folder), "checkout", "--quiet", f"origin/{base}")
        _git(home, "-C", str(folder), "checkout", "--quiet", branch, "--", "tests")
        before = _unittest(home, folder)
    return Proof(after.returncode == 0, _summary(after.stderr), before.returncode != 0)


def _summary(printed: str) -> str:
    lines = printed.strip().splitlines() or ["nothing printed"]
    ran = next((f"{line}: " for line in lines if line.startswith("Ran ")), "")
    return f"{ran}{lines[-1]}"


def _git(home: str, *arguments: str) -> None:
    done = _run(["git", *arguments], home, Path(home))
    if done.returncode:
        raise OSError(f"git {arguments[0]}: {done.stderr.strip()}")


def _unittest(home: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return _run([sys.executable, "-m", "unittest"], home, folder)


def _run(command: list[str], home: str, folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=_environment(home),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{command[0]}: not done after {SECONDS} s") from error


def _environment(home: str) -> dict[str, str]:
    """What an agent wrote runs here: it gets nothing of whoever runs the demo."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": home,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
