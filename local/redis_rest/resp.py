"""A client for the Redis protocol (RESP2): one connection, commands pipelined over it."""

import asyncio
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """A simple string such as ``OK``."""

    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An error reply, with its prefix: ``WRONGTYPE Operation against a key ...``."""

    message: str


type Reply = int | bytes | Status | Failure | list[Reply] | None
type Parsing[T] = Generator[None, None, T]  # pauses whenever it needs more bytes


class Connection(asyncio.Protocol):
    """One connection to the server. Batches are answered in the order they were sent.

    Nothing that blocks or changes the connection's state may go through it, as all callers
    share it.
    """

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = bytearray()
        self._at = 0
        self._batches: deque[tuple[int, asyncio.Future[list[Reply]]]] = deque()
        self._parsing = self._answers()

    async def call(self, commands: Sequence[Sequence[bytes]]) -> list[Reply]:
        """Send ``commands`` in one write and return a reply for each.

        Raises ConnectionError when the server is gone; whether it ran them is then unknown.
        """
        if self._transport is None:
            raise ConnectionError("the server is gone")
        answer: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        self._batches.append((len(commands), answer))
        self._transport.write(b"".join(map(_encoded, commands)))
        return await answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        next(self._parsing)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        for _, answer in self._batches:
            if not answer.done():
                answer.set_exception(ConnectionError(f"the server is gone: {exc}"))
        self._batches.clear()

    def _answers(self) -> Parsing[None]:
        while True:
            while not self._buffer:
                yield
            count, answer = self._batches[0]
            replies: list[Reply] = []
            for _ in range(count):
                replies.append((yield from self._reply()))
                del self._buffer[: self._at]
                self._at = 0
            self._batches.popleft()
            if not answer.done():  # the caller may have been cancelled
                answer.set_result(replies)

    def _reply(self) -> Parsing[Reply]:
        line = yield from self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return Status(rest.decode())
        if kind == b"-":
            return Failure(rest.decode(errors="replace"))
        if kind not in b":$*":
            raise ValueError(f"not RESP2: {line!r}")
        number = int(rest)
        if kind == b":":
            return number
        if number < 0:
            return None
        if kind == b"$":
            return (yield from self._bulk(number))
        items: list[Reply] = []
        for _ in range(number):
            items.append((yield from self._reply()))  # noqa: PERF401 - it pauses in between
        return items

    def _line(self) -> Parsing[bytes]:
        while (end := self._buffer.find(b"\r\n", self._at)) < 0:
            yield
        line = bytes(self._buffer[self._at : end])
        self._at = end + 2
        return line

    def _bulk(self, length: int) -> Parsing[bytes]:
        end = self._at + length
        while len(self._buffer) < end + 2:
            yield
        value = bytes(self._buffer[self._at : end])
        self._at = end + 2
        return value


def _encoded(command: Sequence[bytes]) -> bytes:
    parts = [b"*%d\r\n" % len(command)]
    parts.extend(b"$%d\r\n%b\r\n" % (len(word), word) for word in command)
    return b"".join(parts)
