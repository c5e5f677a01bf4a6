"""The emulated GitHub with one repository, and everybody who calls it in these tests."""

import functools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.github.app import app
from local.github.auth import Keys
from local.serve import running
from soulcaster.edges.github import FileChange, GitHub

PERSON_TOKEN = "a-person's-token"
WRITE = {"contents": "write", "pull_requests": "write"}
READ = {"contents": "read"}
REPO = "acme/larder"


@dataclass(frozen=True)
class World:
    """``edge`` is the product's own; ``person`` may do everything."""

    url: str
    edge: GitHub
    person: httpx.Client
    folder: Path

    def clone_url(self, token: str, repo: str = REPO) -> str:
        """What git clones, with the token in it."""
        return self.url.replace("http://", f"http://x-access-token:{token}@") + f"/{repo}.git"

    def as_token(self, token: str) -> httpx.Client:
        """A client that shows this token."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"})

    def base_sha(self, token: str) -> str:
        """The commit that main points at."""
        found = self.as_token(token).get(f"/repos/{REPO}/git/ref/heads/main")
        return str(found.json()["object"]["sha"])

    def local_issue(self, **fields: object) -> dict[str, object]:
        """An issue made by the local-only call."""
        made = self.person.post("/_local/issues", json={"repo": REPO, **fields})
        assert made.status_code == 201, made.text
        found: dict[str, object] = made.json()
        return found


@functools.cache
def key_pair() -> tuple[str, str]:
    """A private key and its public one, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def keys() -> Keys:
    return Keys("77", "soulcaster", 501, key_pair()[1], PERSON_TOKEN, "maintainer")


def sample(folder: Path) -> Path:
    """A folder of files to make a repository of."""
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("# Larder\n\nKeeps food.\n")
    (folder / "larder.py").write_text("def shelves():\n    return 2\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "larder.pyc").write_bytes(b"\0")
    return folder


@contextmanager
def started(tmp_path: Path) -> Iterator[World]:
    """Served from a thread, with the repository acme/larder made."""
    with running(app(tmp_path / "state", keys())) as url:
        client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {PERSON_TOKEN}"})
        world = World(url, GitHub(url, "77", key_pair()[0]), client, tmp_path)
        make_repository(world, REPO)
        yield world
        client.close()


def make_repository(world: World, full_name: str, **more: object) -> httpx.Response:
    folder = world.folder / "files" / full_name
    if not folder.exists():
        sample(folder)
    body = {"full_name": full_name, "path": str(folder), **more}
    return world.person.post("/_local/repositories", json=body)


def git(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The git of a person who has no configuration."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
    }
    return subprocess.run(
        ["git", *args], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


def change(path: str, content: str | None, mode: str = "100644") -> FileChange:
    return {"path": path, "mode": mode, "content": content, "deleted": content is None}


def publish(world: World, token: str, *files: FileChange, branch: str = "soulcaster/job-1") -> str:
    """What the product's publish does: a commit, a branch, a draft pull request's page."""
    edge = world.edge
    sha = edge.commit_files(
        token,
        REPO,
        world.base_sha(token),
        list(files) or [change("larder.py", "def shelves():\n    return 3\n")],
        message="Count the shelves\n\nOne was forgotten.",
        author_date="2026-03-04T05:06:07Z",
    )
    edge.ensure_branch(token, REPO, branch, sha)
    edge.ensure_draft_pull(
        token, REPO, branch, base="main", title="Count the shelves", body="Fixes #1"
    )
    return sha
