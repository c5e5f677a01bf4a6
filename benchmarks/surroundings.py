"""What the functions need around them to answer a harmless event: Redis, SQS and secrets."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local import credentials
from local.lambdas import Places, Stack, load, provision
from local.lambdas.clients import Clients
from local.parameters import Services, platform
from local.parts import ROOT, Parts
from local.serve import free_port

NOBODY = "http://127.0.0.1:9"  # for services that no event of these reaches


@dataclass(frozen=True)
class Surroundings:
    """The template's stack and what its functions see of the platform."""

    stack: Stack
    platform: dict[str, str]
    clients: Clients
    api_key: str


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
            ROOT / "template.yaml", services.parameters(url, arns), Places(NOBODY, url("sqs"))
        )
        provision.queues(stack, clients.sqs())
        values = provision.secret_values(stack.secrets, folder / "secrets.json")
        for secret in stack.secrets:
            provision.secret(secret, values[secret.id], manager)
        yield Surroundings(stack, variables, clients, values["ApiKey"])
    finally:
        parts.stop()
