"""Checks out a pull request's branch and runs the repository's tests on it."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TestRun:
    """Whether the tests passed, and the last line they printed."""

    passed: bool
    says: str


def run_tests(clone_url: str, token: str, branch: str) -> TestRun:
    """The sample's tests on ``branch`` of a fresh clone."""
    address = clone_url.replace("http://", f"http://x-access-token:{token}@")
    with tempfile.TemporaryDirectory() as folder:
        clone = ["git", "clone", "--quiet", "--depth", "1", "--branch", branch, address, folder]
        subprocess.run(clone, check=True, capture_output=True, timeout=60)
        run = subprocess.run(
            ["python3", "-m", "unittest"],
            cwd=Path(folder),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    lines = run.stderr.strip().splitlines() or ["(nothing printed)"]
    ran = next((line for line in lines if line.startswith("Ran ")), "")
    return TestRun(run.returncode == 0, f"{ran}: {lines[-1]}".removeprefix(": "))
