"""The local cloud: everything outside the functions, on loopback, and the functions themselves."""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any, Self

import httpx

from local import credentials, image, ports
from local.dashboard import SignedIn
from local.lambdas.stack import Places, Stack
from local.lambdas.template import load
from local.parameters import REGION, Services, platform
from local.parts import ROOT, Parts
from local.person import signed_in

PORTS = (
    *("api", "control", "redis", "vector", "sqs", "s3", "ecs", "moto"),
    *("gemini", "github", "reddit", "model"),
)
TEMPLATE = ROOT / "template.yaml"
RECORDINGS = ROOT / "sample/recordings"


class Running(RuntimeError):  # noqa: N818 - names what is
    """Another local cloud uses this state folder."""


@dataclass(frozen=True)
class Addresses:
    """Where things are, without trailing slashes."""

    api: str
    control: str
    github: str
    reddit: str
    redis: str
    ecs: str


class Cloud:
    """One local cloud, whose whole state is in one folder; a context manager.

    Where ``environment`` holds the keys of a real service, that service is used and its
    emulator is not started; ``parameters.KEYS`` says which. ``recordings`` is the folder of what
    the model replays, and ``parameters`` are parameters of the template that are to be other
    than they would be. Entering raises ``Running`` and ``PartFailed``, making one ``Incomplete``.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        schedules: bool = True,
        recordings: Path = RECORDINGS,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.logs = self.folder / "logs"
        self.services = Services(environment)
        self._schedules = schedules
        self._recordings = recordings
        self._chosen = parameters or {}
        self._lock: IO[str] | None = None
        self._parts = Parts(self.logs)

    def __enter__(self) -> Self:
        try:
            self._take_folder()
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process and give the folder free."""
        self._parts.stop()
        if self._lock:
            self._lock.close()

    def check(self, seconds: float = 0) -> None:
        """Raise ``PartFailed`` when a part has ended by itself, or does so within ``seconds``."""
        self._parts.check(seconds)

    @property
    def maintainer(self) -> SignedIn:
        """What has a client of the API speak for the person who owns the installation."""
        return signed_in(self.folder)

    def _take_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.seek(0)
            owner = self._lock.read() or "?"
            raise Running(
                f"a local cloud is running in {self.folder} (process {owner});"
                " end that one, or give this one another folder with --state"
            ) from error
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    def _start(self) -> None:
        self._ports = ports.choose(PORTS, self.folder / "ports.json")
        self.credentials = credentials.load(self.folder)
        self.addresses = Addresses(
            **{part.name: self._url(part.name) for part in fields(Addresses)}
        )
        stack = self._stack()
        audience = stack.functions["ApiFunction"].environment["API_AUDIENCE"]
        self._write("dashboard.json", {"API_URL": self._url("api"), "API_AUDIENCE": audience})
        started = self._start_emulators(stack)
        for name in started:
            self._parts.wait_for(name, self._ports[name])
        self._start_functions()

    def _url(self, part: str) -> str:
        return f"http://127.0.0.1:{self._ports[part]}"

    def _stack(self) -> Stack:
        """The template with the parameters it will have, but for the secrets' names."""
        unnamed = dict.fromkeys(self.services.secrets(self.credentials), "arn:aws:none")
        places = Places(self._url("api"), self._url("sqs"))
        return load(TEMPLATE, self._parameters(unnamed), places)

    def _parameters(self, secrets: Mapping[str, str]) -> dict[str, str]:
        return {**self.services.parameters(self._url, secrets, self.credentials), **self._chosen}

    def _start_emulators(self, stack: Stack) -> list[str]:
        """Start those that are needed; their names."""
        made = self.credentials
        clustering = stack.functions["ClusterFunction"].environment
        public_key = self.folder / "github-app.pub.pem"
        definitions = self._write("task-definitions.json", image.definitions(stack.tasks[0]))
        events = f"{self._url('control')}/_local/events"
        options: dict[str, tuple[str | Path, ...]] = {
            "moto": (),
            "gemini": ("--key", made.gemini),
            "redis": ("--token", made.redis),
            "vector": (
                *("--token", made.vector),
                *("--dimension", clustering["EMBEDDING_DIMENSIONS"]),
            ),
            # Whoever held a message was a process of this folder's last run.
            "sqs": ("--consumers-ended",),
            "s3": ("--secret-key", made.aws_secret),
            "github": (
                *("--app-id", "1", "--public-key", public_key),
                *("--person-token", made.person),
            ),
            "reddit": ("--client-id", made.reddit_id, "--client-secret", made.reddit_secret),
            "model": ("--recordings", self._recordings, "--key", made.model),
            "ecs": ("--definitions", definitions, "--events", events),
        }
        wanted = [name for name in options if self.services.emulated(name)]
        for name in wanted:
            self._emulate(name, options[name])
        return wanted

    def _emulate(self, name: str, options: tuple[str | Path, ...]) -> None:
        module = "local.redis_rest" if name == "redis" else f"local.{name}"
        place: list[str | Path] = ["--port", str(self._ports[name])]
        if name != "moto":
            state = self.folder / "state" / name
            state.mkdir(parents=True, exist_ok=True)
            place += ["--state", state]
        self._parts.start(name, [module, *place, *options])

    def _start_functions(self) -> None:
        arns = {
            parameter: self._create_secret(parameter, value)
            for parameter, value in self.services.secrets(self.credentials).items()
        }
        parameters = self._parameters(arns)
        variables = platform(self._url, self.credentials)
        arguments: list[str | Path] = [
            *("local.lambdas", "--template", TEMPLATE),
            *("--parameters", self._write("parameters.json", parameters)),
            *("--platform-env", self._write("platform.json", variables)),
            *("--api-port", str(self._ports["api"])),
            *("--control-port", str(self._ports["control"])),
            *("--state", self.folder, "--logs", self.logs),
            *(() if self._schedules else ("--no-schedules",)),
        ]
        self._parts.start("lambdas", arguments)
        self._parts.wait_for("lambdas", self._ports["control"])
        self._parts.wait_for("lambdas", self._ports["api"])

    def _create_secret(self, name: str, value: str) -> str:
        """Put a secret where the template expects it; its ARN. Not by boto3, which would read
        whatever AWS profile and proxy this process was started with.
        """
        scope = f"local/20000101/{REGION}/secretsmanager/aws4_request"
        answer = httpx.post(
            self._url("moto"),
            headers={
                "content-type": "application/x-amz-json-1.1",
                "x-amz-target": "secretsmanager.CreateSecret",
                "authorization": f"AWS4-HMAC-SHA256 Credential={scope}",
            },
            json={"Name": f"soulcaster/{name}", "SecretString": value},
            timeout=30,
            trust_env=False,
        )
        arn: str = answer.raise_for_status().json()["ARN"]
        return arn

    def _write(self, name: str, content: Any) -> Path:
        """A JSON file of the state folder, for its owner only."""
        file = self.folder / name
        file.touch(mode=0o600)
        file.write_text(json.dumps(content, indent=1))
        return file
