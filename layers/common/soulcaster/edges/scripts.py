"""The scripts in ``lua/``. The receiver reads its own by this, so it stays lean (ADR 1)."""

import pkgutil
import re
from functools import cache

_INCLUDE = re.compile(r"^--#include ([a-z_]+)\n", re.MULTILINE)


@cache
def source(script: str) -> str:
    """The script's text with ``lua/lib/NAME.lua`` in place of each line ``--#include NAME``.

    A library may include others; each stands where it is first wanted, and only there.
    """
    included: set[str] = set()

    def library(line: re.Match[str]) -> str:
        if line[1] in included:
            return ""
        included.add(line[1])
        return _INCLUDE.sub(library, _text(f"lib/{line[1]}.lua"))

    return _INCLUDE.sub(library, _text(f"{script}.lua"))


def _text(path: str) -> str:
    # By the import system, which is there already; importlib.resources takes longer to load.
    text = pkgutil.get_data("soulcaster.edges.lua", path)
    if text is None:
        raise FileNotFoundError(path)
    return text.decode()
