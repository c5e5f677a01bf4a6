"""The local cloud: everything outside the functions, on loopback, and the functions themselves."""

import fcntl
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import boto3

from local import credentials, ports
from local.lambdas.stack import Places
from local.lambdas.template import load
from local.parts import ROOT, Parts

PORTS = (
    *("api", "control", "redis", "vector", "sqs", "s3", "ecs", "moto"),
    *("gemini", "github", "reddit", "model"),
)
REGION = "us-east-1"
EMBEDDING_MODEL, DIMENSIONS = "all-minilm-l6-v2", 384
SECRET_PARAMETERS = (
    *("UpstashRedisTokenArn", "UpstashVectorTokenArn", "GeminiApiKeyArn"),
    *("GitHubAppArn", "RedditAppArn", "ModelApiKeyArn"),
)


class Running(RuntimeError):  # noqa: N818 - names what is
    """Another local cloud uses this state folder."""


@dataclass(frozen=True)
class Addresses:
    """Where things are, without trailing slashes."""

    api: str
    control: str
    github: str
    reddit: str
    sqs: str
    vector: str


class Cloud:
    """One local cloud, whose whole state is in one folder; a context manager.

    Where ``environment`` holds the key of a real service, that service is used and its
    emulator is not started: UPSTASH_REDIS_REST_URL and _TOKEN, UPSTASH_VECTOR_REST_URL and
    _TOKEN (384 or EMBEDDING_DIMENSIONS), GEMINI_API_KEY, GITHUB_APP_ID and
    GITHUB_APP_PRIVATE_KEY, REDDIT_CLIENT_ID and _SECRET, MODEL_API_KEY with MODEL_BASE_URL
    and MODEL_NAME.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, schedules: bool = True
    ) -> None:
        self.folder = folder.resolve()
        self._given = environment
        self._schedules = schedules
        self._lock: IO[str] | None = None
        self._parts = Parts(self.folder / "logs")

    def __enter__(self) -> Self:
        self._take_folder()
        try:
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

    def ended(self) -> str | None:
        """The name of a part that has ended by itself, if one has."""
        return self._parts.ended()

    @property
    def api_key(self) -> str:
        """The installation's API key."""
        kept: dict[str, str] = json.loads((self.folder / "secrets.json").read_text())
        return kept["ApiKey"]

    def _take_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Running(f"a local cloud is running in {self.folder}") from error

    def _start(self) -> None:
        self._ports = ports.choose(PORTS, self.folder / "ports.json")
        self.credentials = credentials.load(self.folder)
        self.addresses = Addresses(
            **{name: self._url(name) for name in ("api", "control", "github", "reddit", "sqs")},
            vector=self._url("vector"),
        )
        self._start_emulators()
        for name in self._emulated:
            self._parts.wait_for(name, self._ports[name])
        self._start_functions()

    def _url(self, part: str) -> str:
        return f"http://127.0.0.1:{self._ports[part]}"

    def _emulate(self, name: str, *options: str | Path, module: str = "") -> None:
        state = self.folder / "state" / name
        state.mkdir(parents=True, exist_ok=True)
        place = ["--port", str(self._ports[name])]
        if name != "moto":
            place += ["--state", str(state)]
        self._parts.start(name, [module or f"local.{name}", *place, *options])
        self._emulated.append(name)

    def _start_emulators(self) -> None:
        self._emulated: list[str] = []
        made, given = self.credentials, self._given
        self._emulate("moto")
        if "GEMINI_API_KEY" not in given:
            self._emulate("gemini", "--key", made.gemini)
        if "UPSTASH_REDIS_REST_URL" not in given:
            self._emulate("redis", "--token", made.redis, module="local.redis_rest")
        if "UPSTASH_VECTOR_REST_URL" not in given:
            dimension = given.get("EMBEDDING_DIMENSIONS", str(DIMENSIONS))
            self._emulate("vector", "--token", made.vector, "--dimension", dimension)
        self._emulate("sqs")
        self._emulate("s3", "--secret-key", made.aws_secret)
        if "GITHUB_APP_ID" not in given:
            public = self.folder / "github-app.pub.pem"
            options = ("--app-id", "1", "--public-key", public, "--person-token", made.person)
            self._emulate("github", *options)
        if "REDDIT_CLIENT_ID" not in given:
            app = ("--client-id", made.reddit_id, "--client-secret", made.reddit_secret)
            self._emulate("reddit", *app)
        if "MODEL_API_KEY" not in given:
            recordings = ROOT / "sample/recordings"
            self._emulate("model", "--recordings", recordings, "--key", made.model)
        self._emulate("ecs", *self._ecs_options())

    def _ecs_options(self) -> tuple[str | Path, ...]:
        """What a task of the template's definition runs here: the image's entry point."""
        agent = ROOT / "agent-container"
        tools = [Path(sys.executable).parent, agent / "node_modules/.bin"]
        environment = {
            "PYTHONPATH": str(agent),
            "PATH": ":".join([*map(str, tools), os.environ.get("PATH", os.defpath)]),
        }
        command = [sys.executable, *entry_point(agent / "Dockerfile")[1:]]
        task = self._stack(dict.fromkeys(SECRET_PARAMETERS, "arn:aws:none")).tasks[0]
        container = {"command": command, "environment": environment}
        definitions = self.folder / "task-definitions.json"
        definitions.write_text(
            json.dumps({task.family: {"containers": {task.container: container}}}, indent=1)
        )
        return ("--definitions", definitions, "--events", f"{self._url('control')}/_local/events")

    def _platform(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self._url("moto"),
            "AWS_ENDPOINT_URL_SQS": self._url("sqs"),
            "AWS_ENDPOINT_URL_S3": self._url("s3"),
            "AWS_ENDPOINT_URL_ECS": self._url("ecs"),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": self.credentials.aws_secret,
        }

    def _stack(self, secrets: Mapping[str, str]) -> Any:
        places = Places(self._url("api"), self._url("sqs"))
        return load(ROOT / "template.yaml", self._parameters(secrets), places)

    def _parameters(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """The template's parameters: an emulator's address only where it runs."""
        given = self._given
        parameters = {
            **secrets,
            "AgentImage": "agent-container/Dockerfile",
            "UpstashRedisRestUrl": given.get("UPSTASH_REDIS_REST_URL", self._url("redis")),
            "UpstashVectorRestUrl": given.get("UPSTASH_VECTOR_REST_URL", self._url("vector")),
        }
        if "gemini" in self._emulated:
            parameters |= {
                "GeminiBaseUrl": self._url("gemini"),
                "EmbeddingModel": EMBEDDING_MODEL,
                "EmbeddingDimensions": str(DIMENSIONS),
                "NamingModel": "extractive-local",
            }
        if "github" in self._emulated:
            parameters |= {"GitHubApiUrl": self._url("github"), "GitHubUrl": self._url("github")}
        if "reddit" in self._emulated:
            parameters |= {"RedditUrl": self._url("reddit"), "RedditOAuthUrl": self._url("reddit")}
        if "model" in self._emulated:
            parameters |= {"ModelBaseUrl": f"{self._url('model')}/v1", "ModelName": "replay"}
        for variable, parameter in (
            ("EMBEDDING_DIMENSIONS", "EmbeddingDimensions"),
            ("MODEL_BASE_URL", "ModelBaseUrl"),
            ("MODEL_NAME", "ModelName"),
        ):
            if variable in given:
                parameters[parameter] = given[variable]
        return parameters

    def _secret_values(self) -> dict[str, str]:
        given, made = self._given, self.credentials
        app = {
            "app_id": given.get("GITHUB_APP_ID", "1"),
            "private_key": given.get("GITHUB_APP_PRIVATE_KEY", made.github_private_key),
        }
        reddit = {
            "client_id": given.get("REDDIT_CLIENT_ID", made.reddit_id),
            "client_secret": given.get("REDDIT_CLIENT_SECRET", made.reddit_secret),
        }
        return {
            "UpstashRedisTokenArn": given.get("UPSTASH_REDIS_REST_TOKEN", made.redis),
            "UpstashVectorTokenArn": given.get("UPSTASH_VECTOR_REST_TOKEN", made.vector),
            "GeminiApiKeyArn": given.get("GEMINI_API_KEY", made.gemini),
            "GitHubAppArn": json.dumps(app),
            "RedditAppArn": json.dumps(reddit),
            "ModelApiKeyArn": given.get("MODEL_API_KEY", made.model),
        }

    def _start_functions(self) -> None:
        client = boto3.client(
            "secretsmanager",
            endpoint_url=self._url("moto"),
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key=self.credentials.aws_secret,
        )
        arns = {
            parameter: client.create_secret(Name=f"soulcaster/{parameter}", SecretString=value)[
                "ARN"
            ]
            for parameter, value in self._secret_values().items()
        }
        parameters, platform = self.folder / "parameters.json", self.folder / "platform.json"
        parameters.write_text(json.dumps(self._parameters(arns), indent=1))
        platform.touch(mode=0o600)
        platform.write_text(json.dumps(self._platform(), indent=1))
        ends = ["--api-port", self._ports["api"], "--control-port", self._ports["control"]]
        inputs = ["--template", ROOT / "template.yaml", "--parameters", parameters]
        places = ["--state", self.folder, "--logs", self.folder / "logs"]
        schedules = [] if self._schedules else ["--no-schedules"]
        arguments = [
            "local.lambdas",
            *inputs,
            "--platform-env",
            platform,
            *ends,
            *places,
            *schedules,
        ]
        self._parts.start("lambdas", [str(argument) for argument in arguments])
        self._parts.wait_for("lambdas", self._ports["control"])
        self._parts.wait_for("lambdas", self._ports["api"])


def entry_point(dockerfile: Path) -> list[str]:
    """The ENTRYPOINT (JSON form) of a Dockerfile."""
    for line in dockerfile.read_text().splitlines():
        if line.startswith("ENTRYPOINT "):
            command: list[str] = json.loads(line.removeprefix("ENTRYPOINT "))
            return command
    raise ValueError(f"{dockerfile} has no ENTRYPOINT in its JSON form")
