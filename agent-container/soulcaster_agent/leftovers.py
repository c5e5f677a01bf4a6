"""What a user for engines may have left where everybody can write."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")


def clear_leftovers(uid: int) -> None:
    """Remove what the user owns in the folders that are there for all.

    A runner of tests looks for its settings in every folder above the tests. Nothing of
    the user may be running. What is our own user's is left alone: it may be anybody's.
    """
    if uid == os.getuid():
        return
    for place in {*PLACES, tempfile.gettempdir()}:
        with contextlib.suppress(OSError):
            for path in Path(place).iterdir():
                with contextlib.suppress(OSError):
                    if path.lstat().st_uid == uid:
                        remove(path)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it, and follow no link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
