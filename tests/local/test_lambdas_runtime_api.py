"""The Runtime API's conversation, held by a runtime client made of plain sockets."""

import socket
import time
from collections.abc import Iterator

import pytest

from local.lambdas.runtime_api import GoneError, RuntimeApi

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    api = RuntimeApi()
    yield api
    api.close()


def connect(api: RuntimeApi, sent: bytes) -> socket.socket:
    """A connection to the API on which ``sent`` has been sent."""
    host, _, port = api.address.partition(":")
    sock = socket.create_connection((host, int(port)))
    sock.sendall(sent)
    return sock


def post(path: str, body: bytes) -> bytes:
    head = f"POST /2018-06-01/runtime/{path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def soon() -> float:
    return time.monotonic() + 20


def always() -> bool:
    return True


def test_an_event_and_its_response_cross(api: RuntimeApi) -> None:
    """The waiting client gets the event with its headers, and its response is acknowledged."""
    client = connect(api, NEXT)
    assert api.wait_until_ready(soon(), always) is None
    api.deliver({"Lambda-Runtime-Aws-Request-Id": "abc"}, b"{}")
    received = client.recv(4096)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nLambda-Runtime-Aws-Request-Id: abc\r\n" in received
    assert received.endswith(b"\r\n\r\n{}")
    client.sendall(post("invocation/abc/response", b"[1]"))
    report = api.report("abc", soon(), always)
    assert (report.kind, report.payload) == ("response", b"[1]")
    assert client.recv(4096).startswith(b"HTTP/1.1 202 Accepted\r\n")


def test_a_response_may_come_on_another_connection(api: RuntimeApi) -> None:
    """The client leaves a connection that grew old during a long invocation."""
    client = connect(api, NEXT)
    api.wait_until_ready(soon(), always)
    api.deliver({}, b"{}")
    client.close()
    other = connect(api, post("invocation/abc/error", b"{}") + NEXT)
    assert api.report("abc", soon(), always).kind == "error"
    assert api.wait_until_ready(soon(), always) is None
    other.close()


def test_a_report_on_another_invocation_is_refused(api: RuntimeApi) -> None:
    """Only the invocation that runs can be answered."""
    client = connect(api, NEXT)
    api.wait_until_ready(soon(), always)
    api.deliver({}, b"{}")
    client.recv(4096)
    client.sendall(post("invocation/old/response", b"1") + post("invocation/abc/response", b"2"))
    assert api.report("abc", soon(), always).payload == b"2"
    assert client.recv(4096).startswith(b"HTTP/1.1 404 Not Found\r\n")


def test_an_init_error_is_heard(api: RuntimeApi) -> None:
    """A client that can't start posts why, instead of asking for work."""
    client = connect(api, post("init/error", b'{"errorType": "X"}'))
    assert api.wait_until_ready(soon(), always) == b'{"errorType": "X"}'
    client.close()


@pytest.mark.parametrize("sent", [NEXT, NEXT[:20], b""])
def test_a_client_that_left_is_gone(api: RuntimeApi, sent: bytes) -> None:
    """Whatever it sent before, a client that has gone takes no event."""
    connect(api, sent).close()
    with pytest.raises(GoneError):
        api.wait_until_ready(soon(), lambda: False)
    with pytest.raises(GoneError):
        api.deliver({}, b"{}")


def test_the_deadline_ends_the_wait(api: RuntimeApi) -> None:
    """A client that stays silent past the deadline is given up."""
    client = connect(api, NEXT)
    api.wait_until_ready(soon(), always)
    api.deliver({}, b"{}")
    with pytest.raises(TimeoutError):
        api.report("abc", time.monotonic(), always)
    client.close()
