"""The way out for the engine and the tests: HTTPS to the hosts that the job names.

They are in a network that leads nowhere. This answers CONNECT there, looks the name up itself
and connects to an address that it has checked, so that no name leads to what is private.
"""

import contextlib
import errno
import ipaddress
import re
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from soulcaster_agent.engine_server import EngineServer
from soulcaster_agent.log import Log
from soulcaster_agent.netns import Network

HTTPS = 443
CONNECT_SECONDS = 20
MOST_TUNNELS = 64
# An engine that tries one name after another must not fill the log with them.
MOST_NOTES = 100
PIECE = 65_536
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
# Addresses that count as public and are not: ways to write IPv4 addresses, which may be private,
# and Azure's metadata.
NOT_PUBLIC = [
    ipaddress.ip_network(each) for each in ("64:ff9b::/96", "2002::/16", "168.63.129.16/32")
]


class RefusedHostError(Exception):
    """The engine may not go there; the text is for people."""


class EgressProxy(EngineServer):
    """Lets one engine reach ``hosts``: names in small letters, or ``.suffix`` for all that end so.

    Each host that is asked for is noted in the log once. Tunnels end with the block.
    """

    def __init__(
        self,
        hosts: tuple[str, ...],
        uid: int,
        network: Network,
        log: Log,
        dial: Callable[[str], socket.socket] | None = None,
    ) -> None:
        super().__init__(Handler, uid, network)
        self._hosts = hosts
        self._log = log
        self._dial = dial or connect
        self._noted: set[str] = set()
        self._open: set[socket.socket] = set()
        self._has_ended = False
        self._lock = threading.Lock()

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        with self._lock:
            self._has_ended = True
            for each in self._open:
                hang_up(each)

    @property
    def address(self) -> str:
        """Return what HTTPS_PROXY is to hold."""
        return f"http://127.0.0.1:{self.port}"

    def reach(self, target: str) -> socket.socket:
        """Return a connection to ``host:443``; raises RefusedHostError or OSError.

        The caller gives it to ``leave`` when it is done.
        """
        name, _, port = target.rpartition(":")
        host = name.lower().removesuffix(".")
        if not HOST.fullmatch(host):
            raise RefusedHostError("that is no host and port")
        try:
            check(host, port, self._hosts)
            outside = self._dial(host)
        except RefusedHostError as error:
            self._note(host, f"Egress: {host} was refused: {error}.")
            raise
        except OSError as error:
            self._note(host, f"Egress: {host} can't be reached: {error.strerror}.")
            raise
        with self._lock:
            if self._has_ended or len(self._open) >= MOST_TUNNELS:
                outside.close()
                raise RefusedHostError(f"at most {MOST_TUNNELS} connections may be open")
            self._open.add(outside)
        self._note(host, f"Egress: {host} was let through.")
        return outside

    def leave(self, outside: socket.socket) -> None:
        """Close a connection of ``reach``."""
        with self._lock:
            self._open.discard(outside)
        outside.close()

    def _note(self, host: str, text: str) -> None:
        with self._lock:
            is_new = host not in self._noted and len(self._noted) < MOST_NOTES
            self._noted |= {host} if is_new else set()
        if is_new:
            self._log.note(text)


class Handler(BaseHTTPRequestHandler):
    """One CONNECT; every other method is answered 501."""

    server: EgressProxy
    timeout = 60
    # What comes after the request is not read with it: it is for the other end.
    rbufsize = 0

    def do_CONNECT(self) -> None:
        """Make a tunnel, and stay until it is closed."""
        self.close_connection = True
        if not self.server.is_engine(self.client_address[1]):
            self.send_error(403, "this address serves one engine only")
            return
        try:
            outside = self.server.reach(self.path)
        except RefusedHostError as error:
            self.send_error(403, str(error))
        except OSError:
            self.send_error(502, "the host can't be reached")
        else:
            try:
                self.send_response_only(200, "Connection established")
                self.end_headers()
                self.connection.settimeout(None)
                relay(self.connection, outside)
            finally:
                self.server.leave(outside)

    def log_message(self, *_: object) -> None:
        """Say nothing: hosts are noted once."""


def check(host: str, port: str, hosts: tuple[str, ...]) -> None:
    """See that a name is one of ``hosts``, or ends as one that starts with a dot does.

    Raises RefusedHostError otherwise, and for any port but that of HTTPS.
    """
    if not any(host == each or (each[:1] == "." and host.endswith(each)) for each in hosts):
        raise RefusedHostError("it is not among the job's hosts")
    if port != str(HTTPS):
        raise RefusedHostError(f"only port {HTTPS} may be reached")


def connect(host: str, resolve: Callable[[str], list[str]] | None = None) -> socket.socket:
    """Return a connection to a public host; raises RefusedHostError or OSError.

    The name is looked up once, and what is connected to is what was checked.
    """
    addresses = (resolve or addresses_of)(host)
    if not all(map(is_public, addresses)):
        raise RefusedHostError("its name leads to an address that is not public")
    problem = OSError(errno.EADDRNOTAVAIL, "it has no address")
    for address in addresses:
        try:
            outside = socket.create_connection((address, HTTPS), CONNECT_SECONDS)
        except OSError as error:
            problem = error
        else:
            outside.settimeout(None)
            return outside
    raise problem


def addresses_of(host: str) -> list[str]:
    """Look a name up; raises OSError."""
    found = socket.getaddrinfo(host, HTTPS, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Whether an address is on the internet, and no way to write one that is not."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return (
        parsed.is_global
        and not parsed.is_multicast
        and not any(parsed in network for network in NOT_PUBLIC)
    )


def relay(inside: socket.socket, outside: socket.socket) -> None:
    """Pass bytes both ways until both ends have said all they have to say."""
    back = threading.Thread(target=pass_on, args=(outside, inside), daemon=True)
    back.start()
    pass_on(inside, outside)
    back.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes one way until there are no more, and say so to the other end."""
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def hang_up(connection: socket.socket) -> None:
    """End a connection that another thread waits for."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
