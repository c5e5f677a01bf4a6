"""The real git against the emulated GitHub."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.local.github_support import (
    PERSON_TOKEN,
    READ,
    REPO,
    World,
    git,
    make_repository,
    started,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with started(tmp_path) as running:
        yield running


def clone(world: World, token: str, folder: Path, repo: str = REPO) -> str:
    """Standard error of a clone into ``folder``."""
    return git("clone", "-q", world.clone_url(token, repo), str(folder)).stderr


def commit_and_push(copy: Path) -> tuple[int, str]:
    (copy / "new.txt").write_text("new\n")
    git("add", ".", cwd=copy)
    git("commit", "-q", "-m", "New", cwd=copy)
    done = git("push", "-q", "origin", "HEAD:refs/heads/pushed", cwd=copy)
    return done.returncode, done.stderr


def test_a_read_token_clones_and_does_not_push(world: World, tmp_path: Path) -> None:
    """contents:read is enough for a clone, and for nothing more."""
    token = world.edge.installation_token(REPO, READ)
    assert clone(world, token, tmp_path / "copy") == ""
    code, said = commit_and_push(tmp_path / "copy")
    assert code != 0
    assert "403" in said
    refs = world.person.get(f"/repos/{REPO}/git/matching-refs/heads/").json()
    assert [ref["ref"] for ref in refs] == ["refs/heads/main"]


def test_a_write_token_pushes(world: World, tmp_path: Path) -> None:
    """contents:write pushes a branch that the API then shows."""
    token = world.edge.installation_token(REPO, {"contents": "write"})
    clone(world, token, tmp_path / "copy")
    assert commit_and_push(tmp_path / "copy")[0] == 0
    sha = git("rev-parse", "HEAD", cwd=tmp_path / "copy").stdout.strip()
    ref = world.person.get(f"/repos/{REPO}/git/ref/heads/pushed").json()
    assert ref["object"]["sha"] == sha


def test_a_token_clones_no_other_repository(world: World, tmp_path: Path) -> None:
    """The token of one repository doesn't find the other."""
    make_repository(world, "acme/cellar")
    token = world.edge.installation_token(REPO, READ)
    assert "not found" in clone(world, token, tmp_path / "copy", "acme/cellar")


@pytest.mark.parametrize("permissions", [{"metadata": "read"}, {"issues": "write"}])
def test_a_token_without_contents_does_not_clone(
    world: World, tmp_path: Path, permissions: dict[str, str]
) -> None:
    """Seeing a repository is not reading it."""
    token = world.edge.installation_token(REPO, permissions)
    assert "403" in clone(world, token, tmp_path / "copy")


def test_nobody_is_asked_to_log_in(world: World, tmp_path: Path) -> None:
    """Without a token, and with a wrong one, git is told to authenticate."""
    anonymous = httpx.get(f"{world.url}/{REPO}.git/info/refs?service=git-upload-pack")
    assert anonymous.status_code == 401
    assert anonymous.headers["www-authenticate"].startswith("Basic")
    assert "Authentication failed" in clone(world, "ghs_wrong", tmp_path / "copy")


def test_a_large_push_and_clone(world: World, tmp_path: Path) -> None:
    """A pack beyond git's buffer is pushed in chunks and comes back whole."""
    clone(world, PERSON_TOKEN.replace("'", "%27"), tmp_path / "one")
    data = bytes(range(256)) * 12_000
    noise = b"".join(bytes([b ^ (n * 31 % 251)]) for n, b in enumerate(data[:2_500_000]))
    (tmp_path / "one" / "large.bin").write_bytes(noise)
    assert commit_and_push(tmp_path / "one")[0] == 0
    token = world.edge.installation_token(REPO, READ)
    git("clone", "-q", "-b", "pushed", world.clone_url(token), str(tmp_path / "two"))
    assert (tmp_path / "two" / "large.bin").read_bytes() == noise


def test_a_gzipped_request_is_read(world: World) -> None:
    """A request that git compressed is understood."""
    token = world.edge.installation_token(REPO, READ)
    body = b"0014command=ls-refs\n0000"
    answer = httpx.post(
        f"{world.url}/{REPO}.git/git-upload-pack",
        content=gzip.compress(body),
        auth=("x-access-token", token),
        headers={
            "Content-Type": "application/x-git-upload-pack-request",
            "Content-Encoding": "gzip",
            "Git-Protocol": "version=2",
        },
    )
    assert answer.status_code == 200
    assert b"refs/heads/main" in answer.content
