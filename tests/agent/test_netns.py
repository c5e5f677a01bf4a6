"""The network that holds nothing but loopback."""

import contextlib
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from soulcaster_agent.confinement import UNLIMITED, Confinement, confine
from soulcaster_agent.log import Log
from soulcaster_agent.netns import MACHINE, Network, own_network
from soulcaster_agent.redact import Redactor
from tests.agent.conftest import PYTHON, ROOT
from tests.agent.test_confinement import needs_root

# Where clouds give out credentials, and where everything is: by literal address, so that no
# resolver decides.
OUTSIDE = ["169.254.170.2", "169.254.169.254", "192.0.2.1", "10.0.0.1", "8.8.8.8"]
OUTSIDE_6 = ["fd00:ec2::254", "2001:db8::1"]


@pytest.fixture
def network() -> Iterator[Network]:
    with own_network() as network:
        yield network


def reach(network: Network, address: tuple[str, int], family: int = socket.AF_INET) -> int:
    """Connect from inside the network; return the error's number, or 0."""

    def connect() -> socket.socket:
        connection = socket.socket(family)
        connection.settimeout(5)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection

    try:
        network.inside(connect).close()
    except OSError as error:
        return error.errno or -1
    return 0


@needs_root
@pytest.mark.parametrize("port", [53, 80, 443])
def test_s22_no_route_leads_out_of_the_engines_network(network: Network, port: int) -> None:
    """Metadata addresses and the internet are not refused or slow: there is no way there."""
    found = {host: reach(network, (host, port)) for host in OUTSIDE}
    found |= {host: reach(network, (host, port), socket.AF_INET6) for host in OUTSIDE_6}
    assert set(found.values()) <= {errno.ENETUNREACH, errno.EADDRNOTAVAIL}, found
    interfaces = (network.task / "net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]


@needs_root
def test_s22_the_machines_loopback_is_another_one(network: Network) -> None:
    """What listens inside is reached inside, and what listens on the machine is not."""
    with network.listen() as inside, MACHINE.listen() as outside:
        assert reach(network, inside.getsockname()) == 0
        assert reach(MACHINE, outside.getsockname()) == 0
        assert reach(network, outside.getsockname()) == errno.ECONNREFUSED


@needs_root
def test_s22_abstract_sockets_of_the_machine_are_not_there(network: Network) -> None:
    """A name without a file, which no folder protects, is known in its own network only."""
    name = f"\0soulcaster-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as served:
        served.bind(name)
        served.listen()
        found = []
        for where in (MACHINE, network):
            with where.inside(lambda: socket.socket(socket.AF_UNIX)) as client:
                found.append(client.connect_ex(name))
    assert found == [0, errno.ECONNREFUSED]


@needs_root
def test_who_connects_is_known_in_the_network(network: Network) -> None:
    """The table of connections that is asked is the one of the engine's network."""
    with network.listen() as served:
        client = network.inside(lambda: socket.create_connection(served.getsockname()))
        with client:
            ports = (served.getsockname()[1], client.getsockname()[1])
            assert network.uid_of(*ports) == os.getuid()
            assert MACHINE.uid_of(*ports) == -1


def namespaces() -> set[str]:
    """The network namespaces that this process's threads and open files hold."""
    found = {str(path.readlink()) for path in Path("/proc/self/task").glob("*/ns/net")}
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found |= {name for name in [str(path.readlink())] if name.startswith("net:")}
    return found


@needs_root
def test_a_network_ends_with_its_block() -> None:
    """No thread is left in it, and no file that would keep it."""
    before = namespaces()
    with own_network() as network:
        assert len(namespaces() - before) == 1
        task = network.task
    assert namespaces() == before
    assert not task.exists()


LOOK = """
import os
print(os.readlink("/proc/self/ns/net"))
print(sorted(os.listdir("/proc/self/fd")))
try: os.open("/proc/%d/ns/net" % os.getppid(), os.O_RDONLY)
except OSError as error: print(type(error).__name__)
"""


def run(confinement: Confinement, folder: Path, program: str) -> list[str]:
    """Run a program confined; return the lines that it prints."""
    command = confinement.command([PYTHON, "-I", "-c", program], folder, folder)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@needs_root
def test_s22_all_that_is_confined_shares_one_network_with_no_way_back(shared: Path) -> None:
    """Each command is in the same network, holds no file of it, and can't enter ours."""
    log = Log(Redactor())
    with confine(shared, (Path(PYTHON),), (), log) as confinement:
        first, again = (run(confinement, shared, LOOK) for _ in range(2))
        assert confinement.network.is_limited
    assert first == again
    assert first[0] != str(Path("/proc/self/ns/net").readlink())
    # Standard streams, and the folder that is being listed.
    assert first[1:] == ["['0', '1', '2', '3']", "PermissionError"]
    assert "holds nothing but loopback" in log.text()


ENVIRONMENT = "import os; print([os.environ.get(n) for n in ('HTTPS_PROXY', 'NO_PROXY')])"


def test_only_a_job_with_egress_gets_a_proxy(shared: Path) -> None:
    """Programs are told of the way out when there is one; their model is not reached by it."""
    log = Log(Redactor())
    with confine(shared, (Path(PYTHON),), (), log) as confinement:
        assert run(confinement, shared, ENVIRONMENT) == ["[None, None]"]
    with confine(shared, (Path(PYTHON),), ("pypi.org",), log) as confinement:
        (line,) = run(confinement, shared, ENVIRONMENT)
    assert "http://127.0.0.1:" in line
    assert "'127.0.0.1,localhost,::1'" in line
    assert "pypi.org" in log.text()


CONFINED = """
import subprocess, sys
from pathlib import Path
from soulcaster_agent.__main__ import keep_to_ourselves
from soulcaster_agent.confinement import confine
from soulcaster_agent.log import Log
from soulcaster_agent.redact import Redactor
keep_to_ourselves()
folder, python = Path(sys.argv[1]), sys.argv[2]
with confine(folder, (Path(python),), (), Log(Redactor())) as confinement:
    command = confinement.command([python, "-c", "print(7 * 6)"], folder, folder)
    subprocess.run(command, cwd=folder, check=True)
"""


@needs_root
@pytest.mark.parametrize("lacking", ["sys_admin", "sys_ptrace"])
def test_where_no_network_can_be_made_or_entered_the_log_says_so(
    shared: Path, lacking: str
) -> None:
    """Root without the right to do it, as on Fargate, works on in the machine's network."""
    done = subprocess.run(
        ["setpriv", f"--bounding-set=-{lacking}", sys.executable, "-c", CONFINED, shared, PYTHON],
        env={**os.environ, "PYTHONPATH": str(ROOT / "agent-container"), "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert UNLIMITED in done.stdout
    assert "runs as user" in done.stdout
    assert done.stdout.endswith("42\n")
