"""The shared Lua functions, called on their own."""

import json
from typing import Any

from soulcaster.edges.redis import _source
from tests.edges.servers import command


def call(url: str, library: str, body: str, *args: Any) -> Any:
    """Run ``body``, which may use what ``lua/lib/<library>.lua`` has; arguments go as JSON."""
    return command(
        url, "EVAL", _source(f"lib/{library}", guarded=False) + body, 0, *map(json.dumps, args)
    )
