"""What a template asks for, resolved to local values: the runner's only input."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Places:
    """The addresses and names that stand in for an AWS account.

    ``api_url`` and ``sqs_url`` are base addresses without a trailing slash.
    """

    api_url: str = "http://127.0.0.1:0"
    sqs_url: str = "http://127.0.0.1:0"
    region: str = "us-east-1"
    account: str = "123456789012"
    stack_name: str = "soulcaster"

    def arn(self, service: str, resource: str) -> str:
        """An ARN; some services' ARNs lack the region, or the account too."""
        region = "" if service in {"iam", "s3"} else self.region
        account = "" if service == "s3" else self.account
        return f"arn:aws:{service}:{region}:{account}:{resource}"


@dataclass(frozen=True)
class Function:
    """One Lambda function; ``timeout`` in seconds, ``memory`` in MB.

    ``retries`` and ``failures_to`` (a queue's ARN) say what happens when an
    asynchronous invocation fails; ``failure_envelope`` tells an on-failure
    destination (the record wraps the event) from a dead-letter queue (the event
    itself). ``concurrency`` is the reserved one, where there is one.
    """

    id: str
    name: str
    arn: str
    handler: str
    code: Path
    layers: tuple[Path, ...]
    timeout: int
    memory: int
    environment: Mapping[str, str]
    concurrency: int | None = None
    log_format: str = "Text"
    log_level: str | None = None
    retries: int = 2
    failures_to: str | None = None
    failure_envelope: bool = False


@dataclass(frozen=True)
class Route:
    """``method`` is upper case or ``ANY``; ``path`` is as in the template, or ``$default``."""

    method: str
    path: str
    function: str

    @property
    def key(self) -> str:
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True)
class SqsMapping:
    """``window`` in seconds; ``queue`` and ``function`` are logical ids."""

    id: str
    queue: str
    function: str
    batch_size: int
    window: int
    report_failures: bool
    concurrency: int | None


@dataclass(frozen=True)
class Schedule:
    """Fires every ``period`` seconds; ``source`` is ``aws.events`` or ``aws.scheduler``."""

    id: str
    arn: str
    source: str
    period: int
    function: str
    input: Any = None


@dataclass(frozen=True)
class Rule:
    """An EventBridge rule whose every target is a function, by logical id."""

    id: str
    arn: str
    pattern: Mapping[str, Any]
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Queue:
    """``attributes`` are what CreateQueue takes, every value a string."""

    id: str
    name: str
    url: str
    arn: str
    attributes: Mapping[str, str]

    @property
    def visibility(self) -> int:
        return int(self.attributes.get("VisibilityTimeout", "30"))

    @property
    def retention(self) -> int:
        return int(self.attributes.get("MessageRetentionPeriod", "345600"))


@dataclass(frozen=True)
class Bucket:
    id: str
    name: str


@dataclass(frozen=True)
class Secret:
    """``value`` is literal; ``generate`` is CloudFormation's GenerateSecretString."""

    id: str
    name: str
    arn: str
    value: str | None = field(default=None, repr=False)
    generate: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class TaskDefinition:
    """An ECS task with the one container that it has."""

    id: str
    arn: str
    family: str
    container: str
    image: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Stack:
    """Everything of one template that runs on a laptop; keys are logical ids."""

    places: Places
    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    sqs_mappings: tuple[SqsMapping, ...]
    schedules: tuple[Schedule, ...]
    rules: tuple[Rule, ...]
    queues: Mapping[str, Queue]
    buckets: tuple[Bucket, ...]
    secrets: tuple[Secret, ...]
    tasks: tuple[TaskDefinition, ...]
