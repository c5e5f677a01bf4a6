"""The proxy that leads to the hosts of the job and nowhere else."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from soulcaster_agent import egress
from soulcaster_agent.egress import EgressProxy, RefusedHostError, connect, is_public
from soulcaster_agent.log import Log
from soulcaster_agent.netns import MACHINE
from soulcaster_agent.redact import Redactor

HOSTS = ("pypi.org", ".pythonhosted.org")


@dataclass
class Way:
    """An egress proxy, and the other ends of the tunnels that it made."""

    proxy: EgressProxy
    log: Log
    dialled: list[str] = field(default_factory=list)
    far: list[socket.socket] = field(default_factory=list)

    def ask(self, target: str, method: str = "CONNECT", after: bytes = b"") -> socket.socket:
        """Send a request; ``after`` goes with it, without waiting for the answer."""
        client = socket.create_connection(("127.0.0.1", self.proxy.port), 20)
        client.sendall(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode() + after)
        return client

    def status(self, target: str, method: str = "CONNECT") -> int:
        """Return the status of the answer."""
        with self.ask(target, method) as client, client.makefile("rb") as answer:
            return int(answer.readline().split()[1])


@pytest.fixture
def way() -> Iterator[Callable[..., Way]]:
    """Make a proxy whose connections to outside end in the test."""
    with ExitStack() as stack:

        def make(uid: int | None = None, *, dials: bool = True) -> Way:
            def dial(host: str) -> socket.socket:
                near, far = socket.socketpair()
                made.dialled.append(host)
                made.far.append(stack.enter_context(far))
                return near

            log = Log(Redactor())
            who = os.getuid() if uid is None else uid
            proxy = EgressProxy(HOSTS, who, MACHINE, log, dial if dials else None)
            made = Way(stack.enter_context(proxy), log)
            return made

        yield make


def received(connection: socket.socket) -> bytes:
    """Everything until the other end has no more to say."""
    connection.settimeout(20)
    with connection.makefile("rb") as stream:
        return stream.read()


def test_a_listed_host_is_reached_both_ways(way: Callable[..., Way]) -> None:
    """Bytes pass as they are, even those that come with the request, until both ends are done."""
    made = way()
    with made.ask("pypi.org:443", after=b"hello") as client:
        head = b"HTTP/1.0 200 Connection established\r\n\r\n"
        assert client.recv(len(head), socket.MSG_WAITALL) == head
        client.sendall(b" there")
        client.shutdown(socket.SHUT_WR)
        assert received(made.far[0]) == b"hello there"
        made.far[0].sendall(b"x" * 300_000)
        made.far[0].close()
        assert received(client) == b"x" * 300_000
    assert made.dialled == ["pypi.org"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("PyPI.org.:443", 200),
        ("files.pythonhosted.org:443", 200),
        ("pythonhosted.org:443", 403),
        ("evilpythonhosted.org:443", 403),
        ("pypi.org.evil.example:443", 403),
        ("evil.example:443", 403),
        ("pypi.org:80", 403),
        ("pypi.org:22", 403),
        ("pypi.org", 403),
        ("127.0.0.1:443", 403),
        ("169.254.169.254:443", 403),
        ("[::1]:443", 403),
        ("pypi.org%00.evil.example:443", 403),
        ("user@pypi.org:443", 403),
        (":443", 403),
        (f"{'a' * 64}.pythonhosted.org:443", 403),
    ],
)
def test_only_listed_names_at_the_port_of_https(
    way: Callable[..., Way], target: str, status: int
) -> None:
    """A name is one of the list, or below a name that starts with a dot; nothing else is tried."""
    made = way()
    assert made.status(target) == status
    assert len(made.dialled) == (status == 200)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_nothing_but_tunnels_is_served(way: Callable[..., Way], method: str) -> None:
    """It fetches nothing itself: a request for an address in plain HTTP leads nowhere."""
    made = way()
    assert made.status("http://pypi.org/", method) == 501
    assert made.dialled == []


def test_another_users_connection_is_refused(way: Callable[..., Way]) -> None:
    """It serves the engine's user, and tells nobody else what is listed."""
    made = way(os.getuid() + 1)
    assert made.status("pypi.org:443") == 403
    assert made.dialled == []


def test_each_host_is_noted_once(way: Callable[..., Way], monkeypatch: pytest.MonkeyPatch) -> None:
    """The log tells where the engine went and wanted to go, and can't be filled by asking."""
    monkeypatch.setattr(egress, "MOST_NOTES", 3)
    made = way()
    for target in ("pypi.org:443", "evil.example:443", "x\u001b[31m.example:443", "pypi.org:22"):
        made.status(target)
        made.status(target)
    for number in range(5):
        made.status(f"n{number}.example:443")
    lines = [line.split(" ", 1)[1] for line in made.log.text().splitlines()]
    assert lines == [
        "Egress: pypi.org was let through.",
        "Egress: evil.example was refused: it is not among the job's hosts.",
        "Egress: n0.example was refused: it is not among the job's hosts.",
    ]


def test_tunnels_end_with_the_proxy(way: Callable[..., Way]) -> None:
    """What is still open when the work is over is cut off, and nothing new is opened."""
    made = way()
    client = made.ask("pypi.org:443")
    assert client.recv(12, socket.MSG_WAITALL) == b"HTTP/1.0 200"
    made.proxy.__exit__(None, None, None)
    with client:
        received(client)
    assert received(made.far[0]) == b""
    with pytest.raises(RefusedHostError):
        made.proxy.reach("pypi.org:443")


def test_so_many_tunnels_and_no_more(
    way: Callable[..., Way], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is closed makes room for another."""
    monkeypatch.setattr(egress, "MOST_TUNNELS", 1)
    made = way()
    first = made.proxy.reach("pypi.org:443")
    with pytest.raises(RefusedHostError, match="at most 1"):
        made.proxy.reach("pypi.org:443")
    made.proxy.leave(first)
    made.proxy.leave(made.proxy.reach("pypi.org:443"))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0"),
        *("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%lo", "fd00:ec2::254"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"),
        "ff02::1",
    ],
)
def test_private_addresses_are_refused_after_looking_up(address: str) -> None:
    """A listed name that leads to one, even beside a public one, is not connected to."""
    assert not is_public(address)
    with pytest.raises(RefusedHostError, match="not public"):
        connect("pypi.org", lambda _: ["1.1.1.1", address])


@pytest.mark.parametrize("address", ["1.1.1.1", "151.101.0.223", "2606:4700::1111"])
def test_public_addresses_may_be_reached(address: str) -> None:
    """Addresses of the internet are no reason to refuse."""
    assert is_public(address)


def test_the_checked_address_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once; the first address that answers is taken."""
    tried: list[tuple[str, int]] = []
    looked_up: list[str] = []
    near, far = socket.socketpair()

    def create(address: tuple[str, int], _timeout: float) -> socket.socket:
        tried.append(address)
        if len(tried) == 1:
            raise ConnectionRefusedError(111, "Connection refused")
        return near

    def resolve(host: str) -> list[str]:
        looked_up.append(host)
        return ["1.1.1.1", "1.0.0.1"]

    monkeypatch.setattr(socket, "create_connection", create)
    with near, far:
        assert connect("pypi.org", resolve) is near
    assert tried == [("1.1.1.1", 443), ("1.0.0.1", 443)]
    assert looked_up == ["pypi.org"]


def test_a_name_that_leads_to_this_machine_is_refused() -> None:
    """The system's own resolver is asked, and its answer is checked."""
    with pytest.raises(RefusedHostError, match="not public"):
        connect("localhost")
    with pytest.raises(OSError):
        connect("no-such-name.invalid")


def test_a_host_that_does_not_answer_is_a_502(
    way: Callable[..., Way], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine's tools read that it is the host and not the list; the log says so too."""
    monkeypatch.setattr(egress, "addresses_of", lambda _: [])
    made = way(dials=False)
    assert made.status("pypi.org:443") == 502
    assert "Egress: pypi.org can't be reached: it has no address." in made.log.text()
