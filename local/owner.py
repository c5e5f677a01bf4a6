"""The text that makes somebody an owner of a local installation, by the command that ops have."""

import re
import subprocess
import sys
from pathlib import Path

from local.parts import ROOT, environment

_TEXT = re.compile(r"sco_[0-9A-Za-z]+")


class NotOffered(RuntimeError):  # noqa: N818 - names what is
    """The command said why there is no such text."""


def offer(state: Path) -> str:
    """A new one-time text for the local cloud that is up in ``state``; earlier ones are void."""
    command: list[str | Path] = [sys.executable, ROOT / "scripts/soulcaster.py", "owner-link"]
    done = subprocess.run(
        [*command, "--local", "--state", state],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    found = _TEXT.search(done.stdout)
    if done.returncode or not found:
        raise NotOffered(f"owner-link: {done.stderr.strip() or done.stdout.strip()}")
    return found[0]
