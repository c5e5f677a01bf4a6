"""Git, run with an environment of its own so that nothing outside configures it."""

import os
import subprocess
import time
from pathlib import Path

from soulcaster_agent.process import DeadlinePassedError


class GitError(Exception):
    """Git ended with an error; the text is the last lines it wrote."""


class Git:
    """Runs git until a deadline (Unix seconds); ``home`` is an empty folder.

    ``complaints`` holds what git wrote when it ended with a status that was allowed
    for but is not 0.
    """

    def __init__(self, home: Path, deadline: float) -> None:
        self._deadline = deadline
        self.complaints: list[str] = []
        self._env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
        }

    def __call__(
        self,
        *arguments: str,
        env: dict[str, str] | None = None,
        stdin: bytes = b"",
        ok: tuple[int, ...] = (0,),
    ) -> bytes:
        """Return what git wrote; raises GitError or DeadlinePassedError."""
        try:
            done = subprocess.run(
                ["git", *arguments],
                env=self._env | (env or {}),
                input=stdin,
                capture_output=True,
                timeout=max(0.0, self._deadline - time.time()),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DeadlinePassedError("git was not done in time") from None
        said = done.stderr.decode(errors="replace").strip()
        if done.returncode not in ok:
            raise GitError(
                " ".join(said.splitlines()[-3:]) or f"git ended with status {done.returncode}"
            )
        if done.returncode:
            self.complaints.append(said)
        return done.stdout
