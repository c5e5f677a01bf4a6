"""Loopback ports: free ones, and the same ones again after a restart where that can be."""

import json
import socket
import time
from pathlib import Path

from local.serve import free_port

# How long a part of an earlier run, whose parent was killed, may take to let its port go.
PATIENCE_SECONDS = 3


def choose(names: tuple[str, ...], file: Path) -> dict[str, int]:
    """A port for each name. Addresses are stored in links and webhooks, so they should stay."""
    before: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    chosen: dict[str, int] = {}
    for name in names:
        port = before.get(name)
        while port is None or port in chosen.values() or not _free(port, deadline):
            port = free_port()
        chosen[name] = port
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(chosen, indent=1))
    fresh.replace(file)
    return chosen


def _free(port: int, deadline: float) -> bool:
    while not _can_bind(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _can_bind(port: int) -> bool:
    with socket.socket() as s:
        # As servers do: a port whose last connections are still closing is free.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
