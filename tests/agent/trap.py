"""What an attacker's engine would like to reach: it listens everywhere on this machine."""

import contextlib
import selectors
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.agent.conftest import until


@dataclass
class Trap:
    """Remembers every connection and every datagram, with its first bytes.

    ``port`` is taken with TCP and with UDP, on all addresses; ``name`` is a Unix socket's
    that has no file.
    """

    port: int
    name: str = field(default_factory=lambda: f"soulcaster-trap-{uuid.uuid4()}")
    hits: list[bytes] = field(default_factory=list)

    @property
    def hosts(self) -> list[str]:
        """The machine's own addresses: loopback, and the one that it is known by outside."""
        return ["127.0.0.1", "127.0.0.2", *own_address()]

    def proves_itself(self) -> None:
        """See that what reaches it is noticed; then forget that."""
        for host in [*self.hosts, "::1"]:
            socket.create_connection((host, self.port), 20).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for host in self.hosts:
                datagrams.sendto(b"question", (host, self.port))
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(f"\0{self.name}")
        until(lambda: len(self.hits) == 2 * len(self.hosts) + 2)
        self.hits.clear()


def own_address() -> list[str]:
    """The address that this machine would send from, if it has a way out; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 53))
        except OSError:
            return []
        return [str(probe.getsockname()[0])]


@contextlib.contextmanager
def listening() -> Iterator[Trap]:
    """Listen until the end of the block."""
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(
            socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        )
        trap = Trap(stream.getsockname()[1])
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("", trap.port))
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(f"\0{trap.name}")
        local.listen()
        stop = threading.Event()
        thread = threading.Thread(target=watch, args=(trap, (stream, local), datagrams, stop))
        thread.start()
        try:
            yield trap
        finally:
            stop.set()
            thread.join()


def watch(
    trap: Trap,
    streams: tuple[socket.socket, ...],
    datagrams: socket.socket,
    stop: threading.Event,
) -> None:
    """Take in what comes until told to stop."""
    with selectors.DefaultSelector() as selector:
        for each in (*streams, datagrams):
            selector.register(each, selectors.EVENT_READ)
        while not stop.is_set():
            for key, _ in selector.select(0.05):
                if key.fileobj is datagrams:
                    trap.hits.append(datagrams.recv(1_000))
                    continue
                connection, _ = next(each for each in streams if each is key.fileobj).accept()
                with connection:
                    connection.settimeout(0.05)
                    with contextlib.suppress(OSError):
                        trap.hits.append(connection.recv(1_000))
                        continue
                    trap.hits.append(b"")
