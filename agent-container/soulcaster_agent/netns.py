"""The network that the engine is in: one that holds nothing but loopback, where that may be.

Namespaces are a thread's own on Linux: a thread that does nothing else enters a new one, and
makes the sockets there by which the engine is served. A socket stays where it was made.
"""

import contextlib
import errno
import fcntl
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from soulcaster_agent.peer import uid_of

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
# The start of the kernel's ifreq: a name and its flags.
FLAGS = struct.Struct("16sH22x")
BACKLOG = 64
STAY = "-"


@dataclass(frozen=True)
class Network:
    """A network and, in ``task``, a folder of /proc that belongs to a thread in it.

    ``inside`` makes a socket there.
    """

    task: Path
    inside: Callable[[Callable[[], socket.socket]], socket.socket]

    @property
    def is_limited(self) -> bool:
        """Whether nothing but loopback is in it."""
        return self is not MACHINE

    @property
    def entry(self) -> str:
        """Return what launch.py is told to enter."""
        return str(self.task / "ns/net") if self.is_limited else STAY

    def listen(self) -> socket.socket:
        """Return a socket that listens on 127.0.0.1 there, on a free port."""
        return self.inside(listener)

    def uid_of(self, port: int, peer_port: int) -> int | None:
        """See soulcaster_agent.peer."""
        return uid_of(port, peer_port, self.task / "net")


MACHINE = Network(Path("/proc/self"), lambda make: make())


@contextlib.contextmanager
def own_network() -> Iterator[Network]:
    """Hold a new network; it is gone when nothing runs in it and its sockets are closed.

    Raises OSError where the supervisor may not make one: it takes root with CAP_SYS_ADMIN.
    """
    with ThreadPoolExecutor(1, "network") as thread:
        task = thread.submit(enter_new).result()
        yield Network(task, lambda make: thread.submit(make).result())


def enter_new() -> Path:
    """Move this thread to a network of its own; return the thread's folder in /proc."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "there are no network namespaces here")
    os.unshare(os.CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name, flags = FLAGS.unpack(fcntl.ioctl(control, SIOCGIFFLAGS, FLAGS.pack(b"lo", 0)))
        fcntl.ioctl(control, SIOCSIFFLAGS, FLAGS.pack(name, flags | IFF_UP))
    return Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}")


def listener() -> socket.socket:
    """Return a socket that listens on 127.0.0.1 of this thread's network."""
    return socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
