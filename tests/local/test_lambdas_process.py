"""The runner as the command that the local cloud starts."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from local import serve, sqs
from local.lambdas.provision import generated
from tests.local.emulated import ROOT, options, until
from tests.local.lambdas_support import ended, function, http, project

SOURCE = """
    import json, os, pathlib
    import boto3

    def handler(event, context):
        if event.get("rawPath") == "/spin":
            pathlib.Path(os.environ["NOTE"]).write_text(f"[{os.getpid()}]")
            while True:
                pass
        secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SECRET"])
        boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody="sent")
        boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key="k", Body=b"stored")
        return {"pid": os.getpid(), "secret": secret["SecretString"]}
"""


@dataclass
class Cloud:
    """The runner's folder, and the addresses of what it stands on."""

    folder: Path
    moto: str
    queues: str

    def command(self, api_port: int, control_port: int, **parameters: str) -> list[str]:
        """The command line, once the files that it names are written."""
        files = {
            "parameters": parameters,
            "platform": {"AWS_ENDPOINT_URL": self.moto, "AWS_ENDPOINT_URL_SQS": self.queues},
        }
        for name, content in files.items():
            (self.folder / f"{name}.json").write_text(json.dumps(content))
        given = {
            "--template": self.folder / "template.yaml",
            "--parameters": self.folder / "parameters.json",
            "--platform-env": self.folder / "platform.json",
            "--api-port": api_port,
            "--control-port": control_port,
            "--state": self.folder / "state",
            "--logs": self.folder / "logs",
        }
        named = [str(word) for option in given.items() for word in option]
        return [sys.executable, "-m", "local.lambdas", "--no-schedules", *named]

    @contextmanager
    def run(self) -> Iterator[tuple[httpx.Client, httpx.Client, subprocess.Popen[str]]]:
        """The command, ready: clients of its two ports, and its process."""
        ports = serve.free_port(), serve.free_port()
        started = subprocess.Popen(
            self.command(*ports, Note=str(self.folder / "note")),
            cwd=ROOT,
            env={**os.environ, "SOULCASTER_PARENT": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        api, control = (httpx.Client(base_url=f"http://127.0.0.1:{p}", timeout=30) for p in ports)
        with started, api, control:
            try:
                assert started.stdout is not None
                assert started.stdout.readline() == "ready\n"
                yield api, control, started
            finally:
                started.kill()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    variables = {
        "NOTE": {"Ref": "Note"},
        "SECRET": {"Ref": "Key"},
        "QUEUE": {"Ref": "Jobs"},
        "BUCKET": {"Ref": "Files"},
    }
    events = {"Root": http("GET", "/"), "Spin": http("GET", "/spin")}
    environment = {"Variables": variables}
    made = function(folder, "f", SOURCE, Timeout=60, Environment=environment, Events=events)
    resources = {
        "F": made,
        "Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 360}},
        "Files": {"Type": "AWS::S3::Bucket"},
        "Key": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"GenerateSecretString": {"PasswordLength": 40}},
        },
    }
    project(folder, resources, Parameters={"Note": {"Type": "String"}})
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    with serve.running(sqs.app(folder / "sqs")) as queues:
        host, port = moto.get_host_and_port()
        yield Cloud(folder, f"http://{host}:{port}", queues)
    moto.stop()


def test_a_template_runs(cloud: Cloud) -> None:
    """A function reaches its queue, bucket and secret, which keeps its value over restarts."""
    with cloud.run() as (api, control, _):
        first = api.get("/").json()
        assert len(first["secret"]) == 40
        assert control.get("/_local/status").json()["functions"]["F"]["idle"] == 1
        assert api.get("/_local/status").status_code == 404
    jobs = boto3.client("sqs", **options(cloud.queues))
    jobs.set_queue_attributes(
        QueueUrl=f"{cloud.queues}/123456789012/Jobs", Attributes={"VisibilityTimeout": "1"}
    )
    with cloud.run() as (api, _, _):
        again = api.get("/").json()
        assert again["secret"] == first["secret"]
        assert again["pid"] != first["pid"]
    attributes = jobs.get_queue_attributes(
        QueueUrl=f"{cloud.queues}/123456789012/Jobs", AttributeNames=["All"]
    )["Attributes"]
    assert attributes["VisibilityTimeout"] == "360"
    assert attributes["ApproximateNumberOfMessages"] == "2"
    assert (cloud.folder / "state/secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("way", ["kill", "terminate", "parent"])
def test_no_worker_outlives_the_runner(cloud: Cloud, way: str) -> None:
    """Killed, terminated or left by its parent, the runner takes busy and idle workers along."""
    note = cloud.folder / "note"
    note.unlink(missing_ok=True)
    with cloud.run() as (api, control, process):
        threading.Thread(target=partial(ask, api, "/spin"), daemon=True).start()
        until(lambda: note.exists() and note.read_text().endswith("]"))
        (busy,) = json.loads(note.read_text())
        idle = control.post("/_local/invoke/F", json={}).json()["pid"]
        assert busy != idle
        match way:
            case "kill":
                process.kill()
            case "terminate":
                process.send_signal(signal.SIGTERM)
            case "parent":
                assert process.stdin is not None
                process.stdin.close()
        process.wait(20)
        for pid in (busy, idle):
            until(partial(ended, pid))


def ask(client: httpx.Client, path: str) -> None:
    """Send a request whose answer never comes."""
    with pytest.raises(httpx.TransportError):
        client.get(path)


def test_a_template_that_cannot_run_stops_the_start(cloud: Cloud, tmp_path: Path) -> None:
    """The command says what is not supported and leaves with an error."""
    bad = Cloud(tmp_path, cloud.moto, cloud.queues)
    project(tmp_path, {"Table": {"Type": "AWS::DynamoDB::Table"}})
    ran = subprocess.run(bad.command(1, 2), cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "Table: AWS::DynamoDB::Table does not run locally" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("spec", "letters"),
    [
        ({"ExcludePunctuation": True, "ExcludeUppercase": True, "ExcludeLowercase": True}, "0-9"),
        ({"ExcludePunctuation": True, "ExcludeCharacters": "0123456789a"}, "b-zA-Z"),
    ],
)
def test_a_generated_secret_has_only_what_is_allowed(spec: dict[str, Any], letters: str) -> None:
    """Excluded kinds and characters don't occur, and the length is as asked."""
    value = generated(spec | {"PasswordLength": 12})
    assert len(value) == 12
    assert not set(value) - set(expand(letters))


def expand(ranges: str) -> str:
    """``a-c`` written out."""
    pairs = [(ord(ranges[n]), ord(ranges[n + 2])) for n in range(0, len(ranges), 3)]
    return "".join(chr(code) for first, last in pairs for code in range(first, last + 1))


def test_a_generated_secret_can_be_a_field() -> None:
    """With a template and a key, the secret is that JSON with the generated value in it."""
    spec = {"SecretStringTemplate": '{"user": "u"}', "GenerateStringKey": "password"}
    made = json.loads(generated(spec))
    assert made["user"] == "u"
    assert len(made["password"]) == 32
