"""What the edges' tests talk to: emulators, and servers that answer as they are told."""

import contextlib
import functools
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from moto.server import ThreadedMotoServer

TOKEN = "redis-token"
HANG = b""  # a response that never comes


@dataclass
class Scripted:
    """A server that gives the answers it was told; ``requests`` are what it was asked."""

    url: str
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


@contextlib.contextmanager
def scripted(*connections: Sequence[bytes]) -> Iterator[Scripted]:
    """Serve the nth connection with the nth list of raw answers, then hang up on it.

    Further connections are accepted and closed.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        told = Scripted(f"http://{host}:{port}")
        thread = threading.Thread(target=_serve, args=(listener, connections, told), daemon=True)
        thread.start()
        try:
            yield told
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _serve(listener: socket.socket, connections: Sequence[Sequence[bytes]], told: Scripted) -> None:
    with contextlib.suppress(OSError):  # the listener was shut down
        while True:
            connection, _ = listener.accept()
            answers = connections[told.connections] if told.connections < len(connections) else ()
            told.connections += 1
            with connection, contextlib.suppress(ConnectionError):
                for answer in answers:
                    told.requests.append(_request(connection))
                    if answer == HANG:
                        connection.recv(1)  # until the client gives up
                    connection.sendall(answer)


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += _more(connection)
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionError
    return data


def answer(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """A whole HTTP answer; the connection stays open."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextlib.contextmanager
def secrets_manager() -> Iterator[str]:
    """Moto, for Secrets Manager; yields its address."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


_DUMP = """
local read = { string = 'GET', hash = 'HGETALL', set = 'SMEMBERS' }
local held = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local type = redis.call('TYPE', key).ok
  if type == 'zset' then
    held[key] = { type, redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') }
  elseif type == 'list' then
    held[key] = { type, redis.call('LRANGE', key, 0, -1) }
  else
    held[key] = { type, redis.call(read[type], key) }
  end
end
return cjson.encode(held)
"""
_KEEP = """
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, 'kept:' .. key) end
return 1
"""
_BACK = """
for _, key in ipairs(redis.call('KEYS', '*')) do
  if key:sub(1, 5) ~= 'kept:' then redis.call('DEL', key) end
end
for _, key in ipairs(redis.call('KEYS', 'kept:*')) do redis.call('COPY', key, key:sub(6)) end
return 1
"""


@functools.cache
def _client() -> httpx.Client:
    return httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"})


def command(url: str, *words: str | int) -> Any:
    """Run one Redis command past the edge, to arrange and to look."""
    reply = _client().post(url, json=[str(word) for word in words])
    assert reply.status_code == 200, reply.text
    return reply.json()["result"]


def held(url: str) -> dict[str, tuple[str, Any]]:
    """All that Redis holds by key, each with its type; sets in no order. One request."""
    return dict(json.loads(command(url, "EVAL", _DUMP, 0)))


def everything(url: str) -> dict[str, Any]:
    """All that Redis holds, by key, but for the counts of callers' requests in a minute."""
    found = {}
    for key, (kind, value) in held(url).items():
        if kind == "hash":
            value = dict(zip(value[::2], value[1::2], strict=True))  # noqa: PLW2901
        if ":rate:" not in key:
            found[key] = sorted(value) if kind == "set" else value
    return found


def keep(url: str) -> None:
    """Remember all that Redis holds now, for ``back``; until it is emptied."""
    command(url, "EVAL", _KEEP, 0)


def back(url: str) -> None:
    """Have Redis hold what it held when it was told to ``keep`` it."""
    command(url, "EVAL", _BACK, 0)
