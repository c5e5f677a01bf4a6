"""API keys that a person at this machine was given, kept for the next run in the state folder."""

import json
from pathlib import Path


class Keys:
    """The keys kept in a state folder, by project."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "keys.json"

    @property
    def kept(self) -> dict[str, str]:
        """All of them."""
        kept: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}
        return kept

    def keep(self, project: str, key: str) -> None:
        """Add one, in a file that its owner alone can read."""
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({**self.kept, project: key}, indent=1))
        fresh.replace(self._file)
