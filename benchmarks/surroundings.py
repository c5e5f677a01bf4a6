"""What the functions need around them to answer a harmless event: Redis, SQS and secrets."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from local import credentials
from local.credentials import Credentials
from local.dashboard import MAINTAINER
from local.lambdas import Places, Stack, load, provision
from local.lambdas.clients import Clients
from local.parameters import Services, dashboard, platform
from local.parts import ROOT, Parts
from local.serve import free_port

NOBODY = "http://127.0.0.1:9"  # for services that no event of these reaches


@dataclass(frozen=True)
class Surroundings:
    """The template's stack and what its functions see of the platform."""

    stack: Stack
    platform: dict[str, str]
    clients: Clients
    token: str


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Surroundings]:
    """Start the three emulators as processes; their state and logs are in ``folder``."""
    ports = {name: free_port() for name in ("redis", "sqs", "moto")}
    made, services = credentials.load(folder), Services({})

    def url(service: str) -> str:
        return f"http://127.0.0.1:{ports[service]}" if service in ports else NOBODY

    parts = Parts(folder / "logs")
    try:
        for name, port in ports.items():
            module = "local.redis_rest" if name == "redis" else f"local.{name}"
            state = () if name == "moto" else ("--state", folder / name)
            token = ("--token", made.redis) if name == "redis" else ()
            parts.start(name, [module, "--port", str(port), *state, *token])
        for name, port in ports.items():
            parts.wait_for(name, port)
        variables = platform(url, made)
        clients = Clients(variables)
        manager = clients.secrets_manager()
        arns = {
            name: manager.create_secret(Name=name, SecretString=value)["ARN"]
            for name, value in services.secrets(made).items()
        }
        stack = load(
            ROOT / "template.yaml", services.parameters(url, arns, made), Places(NOBODY, url("sqs"))
        )
        provision.queues(stack, clients.sqs())
        values = provision.secret_values(stack.secrets, folder / "secrets.json")
        for secret in stack.secrets:
            provision.secret(secret, values[secret.id], manager)
        audience = stack.functions["ApiFunction"].environment["API_AUDIENCE"]
        signed = dashboard(made).token(MAINTAINER, audience)
        _own(url("redis"), made)
        yield Surroundings(stack, variables, clients, signed)
    finally:
        parts.stop()


def _own(redis: str, made: Credentials) -> None:
    """Make the maintainer an owner of the installation, as the one-time text would."""
    command = ["HSET", "sys:owners", MAINTAINER.id, json.dumps({"name": MAINTAINER.login})]
    headers = {"authorization": f"Bearer {made.redis}"}
    httpx.post(redis, json=command, headers=headers, trust_env=False).raise_for_status()
