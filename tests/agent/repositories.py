"""Repositories made for a test."""

import os
import subprocess
from pathlib import Path

PERSON = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it wrote."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"]} | PERSON,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


def commit_all(folder: Path) -> str:
    """Make a repository of the folder with everything committed to main; return the commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=state")
    return git(folder, "rev-parse", "HEAD")


def bare(folder: Path, target: Path) -> Path:
    """Copy a repository to one that a plain file server can offer."""
    git(folder, "clone", "--quiet", "--bare", str(folder), str(target))
    git(target, "update-server-info")
    return target
