"""Who is at the other end of a loopback connection."""

from pathlib import Path


def uid_of(port: int, peer_port: int, tables: Path) -> int | None:
    """Return the uid of the process that connected from ``peer_port`` to our ``port``.

    ``tables`` is the folder in which the system keeps the connections of their network.
    -1 when no such connection is known, None on a system that keeps no such table.
    """
    seen = False
    for name in ("tcp", "tcp6"):
        try:
            lines = (tables / name).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        seen = True
        for line in lines:
            fields = line.split()
            if fields[1].endswith(f":{peer_port:04X}") and fields[2].endswith(f":{port:04X}"):
                return int(fields[7])
    return -1 if seen else None
