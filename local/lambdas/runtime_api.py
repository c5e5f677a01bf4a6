"""The Lambda Runtime API, as one function instance sees it.

Each instance has a port of its own and takes one invocation at a time, so there is no
server: the thread that invokes holds the conversation. The wire is plain HTTP/1.1.
"""

import selectors
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

VERSION = "/2018-06-01/runtime"
NEXT = f"GET {VERSION}/invocation/next"
INIT_ERROR = f"POST {VERSION}/init/error"
LARGEST_RESPONSE = 6 * 1024 * 1024 + 100  # bytes that Lambda takes back from a function
# Seconds between two looks at whether the process lives: with a connection, whose end
# is seen at once, and without one.
CONNECTED, UNCONNECTED = 1.0, 0.01


class GoneError(Exception):
    """The instance's process has ended."""


@dataclass(frozen=True)
class Report:
    """What an instance posted: ``kind`` is ``response``, ``error`` or ``too_large``."""

    kind: str
    payload: bytes


class Connection:
    """One connection of the instance's runtime client."""

    def __init__(self, sock: socket.socket) -> None:
        # Head and body must not wait for each other's acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self._received = bytearray()

    def read(self) -> bool:
        """Receive once; False when the other end has closed."""
        try:
            data = self.sock.recv(256 * 1024)
        except ConnectionError:
            return False
        self._received += data
        return bool(data)

    def take(self) -> tuple[str, bytes] | None:
        """The next whole request as (``METHOD path``, body), or None while it is incomplete."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        lines = self._received[:end].decode("latin-1").split("\r\n")
        length = 0
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
        start = end + 4
        if len(self._received) < start + length:
            return None
        body = bytes(self._received[start : start + length])
        del self._received[: start + length]
        return lines[0].rpartition(" ")[0], body

    def answer(self, status: HTTPStatus, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send one response; raises GoneError when nobody is there any more."""
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        try:
            self.sock.sendall(head.encode() + b"\r\n" + body)
        except OSError as error:
            raise GoneError from error


class RuntimeApi:
    """The platform's end of one instance; used by one thread at a time.

    ``alive`` says whether the instance's process still runs. Every deadline is a
    ``time.monotonic()``; passing it raises TimeoutError, and the end of the process
    raises GoneError.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._connections: list[Connection] = []
        self._waiting: Connection | None = None

    @property
    def address(self) -> str:
        """What ``AWS_LAMBDA_RUNTIME_API`` is for this instance."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def wait_until_ready(self, deadline: float, alive: Callable[[], bool]) -> bytes | None:
        """Wait for the instance to ask for work; its init error, when it posts that instead."""
        while True:
            self._notice(0)  # one that waits may have ended since it asked
            if self._waiting:
                return None
            connection, line, body = self._request(deadline, alive)
            if line == INIT_ERROR:
                connection.answer(HTTPStatus.ACCEPTED, {})
                return body
            if line == NEXT:
                self._waiting = connection
            else:
                connection.answer(HTTPStatus.NOT_FOUND, {})

    def deliver(self, headers: Mapping[str, str], event: bytes) -> None:
        """Hand one event to the instance that waits."""
        if self._waiting is None:
            raise GoneError
        connection, self._waiting = self._waiting, None
        connection.answer(HTTPStatus.OK, {"Content-Type": "application/json", **headers}, event)

    def report(self, request_id: str, deadline: float, alive: Callable[[], bool]) -> Report:
        """Wait for what became of the event delivered as ``request_id``."""
        prefix = f"POST {VERSION}/invocation/{request_id}/"
        while True:
            connection, line, body = self._request(deadline, alive)
            kind = line.removeprefix(prefix)
            if kind not in {"response", "error"}:
                connection.answer(HTTPStatus.NOT_FOUND, {})
            elif len(body) > LARGEST_RESPONSE:
                connection.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {})
                return Report("too_large", b"")
            else:
                connection.answer(HTTPStatus.ACCEPTED, {})
                return Report(kind, body)

    def close(self) -> None:
        for connection in self._connections:
            connection.sock.close()
        self._selector.close()
        self._listener.close()

    def _request(self, deadline: float, alive: Callable[[], bool]) -> tuple[Connection, str, bytes]:
        while True:
            for connection in self._connections:
                if request := connection.take():
                    return connection, *request
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            look = CONNECTED if self._connections else UNCONNECTED
            if not self._notice(min(remaining, look)) and not alive():
                raise GoneError

    def _notice(self, timeout: float) -> bool:
        """Accept and read what has come, waiting for it at most ``timeout`` seconds."""
        ready = self._selector.select(timeout)
        for key, _ in ready:
            if key.data is None:
                sock, _ = self._listener.accept()
                sock.setblocking(True)  # elsewhere than on Linux it takes after the listener
                connection = Connection(sock)
                self._connections.append(connection)
                self._selector.register(sock, selectors.EVENT_READ, connection)
            elif not key.data.read():
                self._selector.unregister(key.data.sock)
                self._connections.remove(key.data)
                key.data.sock.close()
                if key.data is self._waiting:
                    self._waiting = None
        return bool(ready)
