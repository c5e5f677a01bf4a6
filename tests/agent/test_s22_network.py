"""What an engine finds when it looks for a network, for a cloud and for credentials."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.conftest import Start, ended
from tests.agent.control_plane import ControlPlane
from tests.agent.test_confinement import needs_root, report
from tests.agent.trap import Trap, listening


@pytest.fixture
def trap() -> Iterator[Trap]:
    with listening() as trap:
        trap.proves_itself()
        yield trap


# Tries each way out; what it says of each goes into the patch. Nothing here needs more than the
# standard library, for this is run by the system's Python.
PROBE = """
import socket, urllib.request
hosts, port, name, plane = {hosts!r}, {port!r}, {name!r}, {plane!r}
told = {{}}
def attempt(what, call):
    try:
        told[what] = repr(call())
    except OSError as error:
        told[what] = type(error).__name__
def fetch(url, method="GET", **headers):
    request = urllib.request.Request(url, headers=headers, method=method)
    return urllib.request.urlopen(request, timeout=10).status
for host in hosts + ["::1"]:
    attempt("tcp " + host, lambda: socket.create_connection((host, port), 10))
for host in hosts + ["8.8.8.8", "1.1.1.1"]:
    for number in (port, 53):
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.settimeout(20)
        # Connected, it learns that nobody is there.
        def ask():
            datagrams.connect((host, number))
            datagrams.send(b"question")
            return datagrams.recv(100)
        attempt("udp %s %d" % (host, number), ask)
attempt("unix", lambda: socket.socket(socket.AF_UNIX).connect("\\0" + name))
attempt("dns", lambda: socket.getaddrinfo("loot.evil.example", 443))
attempt("plane", lambda: fetch(plane + "/agent/heartbeat", "POST"))
attempt("web", lambda: fetch("https://evil.example/"))
credentials = os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x")
attempt("task role", lambda: fetch("http://169.254.170.2" + credentials))
attempt("task metadata", lambda: fetch(
    os.environ.get("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4")))
attempt("instance role", lambda: fetch(
    "http://169.254.169.254/latest/api/token", "PUT", **{{"X-aws-ec2-metadata-token": "1"}}))
attempt("aws", lambda: fetch("https://sts.amazonaws.com/?Action=GetCallerIdentity"))
aws = sorted(each for each in os.environ if each.startswith(("AWS", "ECS")))
filled = []
for host in ("github.com", plane.removeprefix("http://")):
    done = subprocess.run(
        ["git", "credential", "fill"], input="protocol=https\\nhost=%s\\n\\n" % host,
        env=os.environ | {{"GIT_TERMINAL_PROMPT": "0"}}, capture_output=True, text=True)
    filled.append([done.returncode, "password" in done.stdout])
config = subprocess.run(["git", "config", "--local", "--list"], stdout=subprocess.PIPE, text=True)
home = sorted(os.listdir(os.environ["HOME"]))
interfaces = sorted(name for _, name in socket.if_nameindex())
json.dump({{
    "told": told, "aws": aws, "filled": filled, "config": config.stdout, "home": home,
    "interfaces": interfaces,
}}, open("report.json", "w"))
say("Done.")
"""


@needs_root
def test_s22_the_engine_reaches_nothing_and_holds_no_credentials(
    plane: ControlPlane, start: Start, fake_engine: Path, trap: Trap
) -> None:
    """No address, name or socket answers; AWS calls fail; git has nothing to log in with."""
    plane.prompt = PROBE.format(
        hosts=trap.hosts, port=trap.port, name=trap.name, plane=plane.address
    )
    role = {
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/secret",
        "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    assert ended(start(fake_engine, **role))[0] == 0
    found = report(plane)
    # Each at once: nobody is asked who could be slow to answer.
    refused = {"ConnectionRefusedError", "OSError", "URLError", "gaierror"}
    assert set(found["told"].values()) <= refused, found["told"]
    assert trap.hits == []
    assert found["aws"] == []
    assert [[status != 0, answer] for status, answer in found["filled"]] == [[True, False]] * 2
    assert "http" not in found["config"]
    assert "credential" not in found["config"]
    assert found["home"] == []
    assert found["interfaces"] == ["lo"]
    assert "The engine's network holds nothing but loopback." in plane.log


@needs_root
def test_s22_egress_leads_to_nothing_but_its_hosts(
    plane: ControlPlane,
    start: Start,
    fake_engine: Path,
    trap: Trap,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A job with a list finds the proxy in its environment; it opens no way to the machine."""
    job = plane.job
    monkeypatch.setattr(plane, "job", lambda: job() | {"egress": ["localhost", ".pypi.test"]})
    plane.prompt = f"""
import socket
address = os.environ["HTTPS_PROXY"].removeprefix("http://").split(":")
told = dict()
for target in ("localhost:443", "localhost:{trap.port}", "127.0.0.1:443", "evil.example:443"):
    with socket.create_connection((address[0], int(address[1])), 20) as proxy:
        proxy.sendall(f"CONNECT {{target}} HTTP/1.1\\r\\n\\r\\n".encode())
        told[target] = int(proxy.makefile("rb").readline().split()[1])
told["url"] = os.environ["https_proxy"]
json.dump(told, open("report.json", "w"))
"""
    assert ended(start(fake_engine))[0] == 0
    told = report(plane)
    assert told.pop("url").startswith("http://127.0.0.1:")
    assert set(told.values()) == {403}, told
    assert trap.hits == []
    assert "Egress: a proxy leads to localhost, .pypi.test." in plane.log
    assert "localhost was refused: its name leads to an address that is not public." in plane.log
    assert "Egress: evil.example was refused: it is not among the job's hosts." in plane.log
