"""The two clones of an attempt: the engine's, and the one its work is compared in."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from soulcaster_agent.git import Git
from soulcaster_agent.job import Repository
from soulcaster_agent.redact import basic_credentials
from soulcaster_agent.snapshot import Camera


@dataclass(frozen=True)
class Checkout:
    """The untouched work tree: its commit ``base``, and what was checked out of it.

    ``tree`` is not always the commit's: where files contradict the repository's
    line-end attributes, git sees a change that nobody made.
    """

    camera: Camera
    base: str
    tree: str

    @property
    def workdir(self) -> Path:
        """The engine's clone."""
        return self.camera.workdir


def check_out(repository: Repository, folder: Path, git: Git) -> Checkout:
    """Clone the base branch into ``folder``; raises GitError or DeadlinePassedError.

    When it returns, no file and no process holds the token.
    """
    store, workdir = folder / "private" / "store.git", folder / "work"
    store.parent.mkdir(mode=0o700)
    git(
        "clone",
        "--bare",
        "--quiet",
        "--single-branch",
        "--no-tags",
        f"--branch={repository.base}",
        "--",
        repository.clone_url,
        str(store),
        env=credentials(repository),
    )
    base = git("-C", str(store), "rev-parse", f"refs/heads/{repository.base}^{{commit}}")
    # Copied, not linked: the two clones share no object file.
    git("clone", "--quiet", "--no-hardlinks", "--", str(store), str(workdir))
    git("-C", str(workdir), "remote", "remove", "origin")
    camera = Camera(workdir, store, store.with_name("index"))
    # Spares reading every file twice; its time tells git what was written just before.
    shutil.copy2(workdir / ".git/index", camera.index)
    leave_submodules(camera, git)
    return Checkout(camera, base.decode("ascii").strip(), camera.take(git))


def leave_submodules(camera: Camera, git: Git) -> None:
    """Have snapshots take submodules for unchanged, without a look.

    Git would run itself inside each of them, with the settings that it finds there: the engine's.
    """
    entries = git("ls-files", "--stage", "-z", env=camera.environment()).split(b"\0")
    submodules = [each.partition(b"\t")[2] for each in entries if each.startswith(b"160000 ")]
    if submodules:
        names = b"".join(path + b"\0" for path in submodules)
        options = ("-z", "--skip-worktree", "--stdin")
        git("update-index", *options, env=camera.environment(), stdin=names)


def credentials(repository: Repository) -> dict[str, str]:
    """Hand the token to git alone, for the repository's own server alone.

    Not as an argument, which every process can read, and not in a file.
    """
    if repository.token is None:
        return {}
    url = urlsplit(repository.clone_url)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url.scheme}://{url.netloc}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic_credentials(repository.token)}",
    }
