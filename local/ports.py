"""Loopback ports: free ones, and the same ones again after a restart where that can be."""

import json
import socket
from pathlib import Path

from local.serve import free_port


def choose(names: tuple[str, ...], file: Path) -> dict[str, int]:
    """A port for each name. Addresses are stored in links and webhooks, so they should stay."""
    before: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    chosen: dict[str, int] = {}
    for name in names:
        port = before.get(name)
        if port is None or port in chosen.values() or not _free(port):
            port = free_port()
            while port in chosen.values():
                port = free_port()
        chosen[name] = port
    file.write_text(json.dumps(chosen, indent=1))
    return chosen


def _free(port: int) -> bool:
    with socket.socket() as s:
        # As servers do: a port whose last connections are still closing is free.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
