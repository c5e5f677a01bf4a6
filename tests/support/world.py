"""The whole product on real emulators: the template's functions, each call of theirs on a wire."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from local.cloud import DIMENSIONS, EMBEDDING_MODEL, REGION
from local.lambdas import Places, Stack, http_event, load, provision, schedules, sqs_event
from local.lambdas import Result as Delivered
from local.lambdas.http_event import Request, Response
from local.lambdas.routes import Router
from local.lambdas.workers import environment
from local.serve import running
from tests.support import emulators, wire
from tests.support.emulators import Clock, Emulators
from tests.support.instance import Instance, Result
from tests.support.tap import Tap

ROOT = Path(__file__).resolve().parents[2]
FAILED = Response(500, [], b'{"message": "Internal Server Error"}')


@dataclass
class World:
    """``direct`` reaches the emulators past the wires, for arranging and for looking.

    ``queue_clock`` is what queues take for the time.
    """

    folder: Path
    direct: Emulators
    wires: Emulators
    tap: Tap
    stack: Stack
    platform: Mapping[str, str]
    secrets: Mapping[str, str]
    queue_clock: Clock
    log: Path
    used_repositories: int = 0
    _api: list[Instance] = field(default_factory=list)

    # Functions

    def instance(self, function: str) -> Instance:
        """A new process of the function with that logical id."""
        found = self.stack.functions[function]
        # The address of the vendor's runtime API, which the handlers never use.
        return Instance(found, environment(found, self.platform, "none"), self.log)

    def invoke(
        self, function: str, event: Any, *, instance: Instance | None = None, ahead_ms: int = 0
    ) -> Result:
        """One invocation, by a cold instance unless one is given."""
        if instance is None:
            with self.instance(function) as fresh:
                return self.invoke(function, event, instance=fresh, ahead_ms=ahead_ms)
        self.tap.watch(instance.pid)
        return instance.invoke(event, ahead_ms)

    def tick(self, function: str, *, ahead_ms: int = 0) -> Result:
        """What the function's schedule does."""
        return self.invoke(function, self.scheduled(function), ahead_ms=ahead_ms)

    def scheduled(self, function: str) -> Any:
        """A new event of the function's schedule."""
        (schedule,) = [each for each in self.stack.schedules if each.function == function]
        return schedules.event(schedule, self.stack.places, datetime.now(UTC))

    # The public door

    def request(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        instance: Instance | None = None,
    ) -> Response:
        """A request to the HTTP API; a function that fails is a 500, as at the vendor's."""
        path, _, query = target.partition("?")
        given = {"host": "127.0.0.1:1", **(headers or {})}
        request = Request(method, path, query, given.items(), body, "127.0.0.1")
        found = Router(self.stack.routes).find(method, path)
        assert found is not None, f"no route for {method} {path}"
        route, variables = found
        event = http_event.event(request, route, variables, self.stack.places, "none")
        result = self.invoke(route.function, event, instance=instance)
        return http_event.response(result.payload) if result.error is None else FAILED

    def api(
        self, method: str, target: str, body: Any = None, *, instance: Instance | None = None
    ) -> Response:
        """A request to the product's API with the installation's key."""
        headers = {"authorization": f"Bearer {self.secrets['ApiKey']}"}
        raw = b"" if body is None else json.dumps(body).encode()
        if raw:
            headers["content-type"] = "application/json"
        return self.request(method, target, body=raw, headers=headers, instance=instance)

    def made(self, method: str, target: str, body: Any = None) -> Any:
        """What the API answers to a request that has to succeed."""
        if not self._api:
            self._api.append(self.instance("ApiFunction"))
        answer = self.api(method, target, body, instance=self._api[0])
        assert answer.status < 300, answer
        return json.loads(answer.body)

    # Queues

    @property
    def sqs(self) -> Any:
        """A client of the queues, past the wire."""
        return self._client("sqs", self.direct.sqs)

    @property
    def ecs(self) -> Any:
        """A client of the tasks, past the wire."""
        return self._client("ecs", self.direct.ecs)

    @property
    def s3(self) -> Any:
        """A client of the bucket, past the wire."""
        return self._client("s3", self.direct.s3)

    def _client(self, service: Any, url: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key=emulators.AWS_SECRET,
        )

    def send(self, queue: str, *bodies: str) -> None:
        """Put messages on the queue with that logical id."""
        url = self.stack.queues[queue].url
        for body in bodies:
            self.sqs.send_message(QueueUrl=url, MessageBody=body)

    def deliver(self, queue: str, *, instance: Instance | None = None) -> "Delivery | None":
        """Give one batch to the queue's consumer; None when the queue is empty.

        Messages that an earlier delivery did not get rid of are visible again: the queue's
        visibility timeout has passed.
        """
        source = self.stack.queues[queue]
        (mapping,) = [each for each in self.stack.sqs_mappings if each.queue == queue]
        self.queue_clock.ahead += source.visibility + 1
        client = self.sqs
        messages = client.receive_message(
            QueueUrl=source.url,
            MaxNumberOfMessages=mapping.batch_size,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return None
        event = sqs_event.event(messages, source.arn)
        result = self.invoke(mapping.function, event, instance=instance)
        outcome = Delivered(result.payload, result.error, cold=False, init_ms=0, duration_ms=0)
        done = sqs_event.done(messages, outcome, mapping.report_failures)
        for message in done:
            client.delete_message(QueueUrl=source.url, ReceiptHandle=message["ReceiptHandle"])
        return Delivery(messages, result, [m for m in messages if m not in done])

    def drain(self, queue: str) -> None:
        """Deliver until the queue is empty, by one warm instance."""
        (mapping,) = [each for each in self.stack.sqs_mappings if each.queue == queue]
        with self.instance(mapping.function) as instance:
            while delivery := self.deliver(queue, instance=instance):
                assert not delivery.failed, delivery.result


@dataclass(frozen=True)
class Delivery:
    """A batch of messages, what the consumer answered, and what it did not get done."""

    messages: list[Any]
    result: Result
    failed: list[Any]


@contextmanager
def started(folder: Path, model: Path) -> Iterator[World]:
    """The product on emulators of its own, with its state below ``folder``.

    ``model`` is where the encoder's file is kept from one run to the next.
    """
    clock, tap = Clock(), Tap()
    with ExitStack() as stack:
        direct = stack.enter_context(emulators.started(folder, model, clock))
        wires = Emulators(
            **{
                name: stack.enter_context(running(wire.app(url, name, tap)))
                for name, url in direct.named().items()
            }
        )
        world = _provisioned(folder, direct, wires, tap, clock)
        try:
            yield world
        finally:
            for instance in world._api:  # noqa: SLF001 - ends what it has kept
                instance.__exit__()


def _provisioned(
    folder: Path, direct: Emulators, wires: Emulators, tap: Tap, clock: Clock
) -> World:
    """The world after a deployment: queues, the bucket and secrets are there."""
    session = boto3.Session("test", emulators.AWS_SECRET, region_name=REGION)
    manager = session.client("secretsmanager", endpoint_url=direct.secrets)
    arns = {
        name: manager.create_secret(Name=f"{name}-{uuid.uuid4()}", SecretString=value)["ARN"]
        for name, value in _secret_parameters().items()
    }
    places = Places(api_url="http://127.0.0.1:1", sqs_url=wires.sqs)
    stack = load(ROOT / "template.yaml", _parameters(wires) | arns, places)
    provision.queues(stack, session.client("sqs", endpoint_url=wires.sqs))
    for bucket in stack.buckets:
        provision.bucket(bucket, session.client("s3", endpoint_url=direct.s3))
    values = provision.secret_values(stack.secrets, folder / "secrets.json")
    for secret in stack.secrets:
        provision.secret(secret, values[secret.id], manager)
    platform = {
        "AWS_ENDPOINT_URL": wires.secrets,
        "AWS_ENDPOINT_URL_SQS": wires.sqs,
        "AWS_ENDPOINT_URL_S3": wires.s3,
        "AWS_ENDPOINT_URL_ECS": wires.ecs,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": emulators.AWS_SECRET,
    }
    log = folder / "functions.log"
    return World(folder, direct, wires, tap, stack, platform, values, clock, log)


def _parameters(wires: Emulators) -> dict[str, str]:
    """The template's parameters but for the secrets, every address a wire's."""
    return {
        "AgentImage": "agent-container/Dockerfile",
        "UpstashRedisRestUrl": wires.redis,
        "UpstashVectorRestUrl": wires.vector,
        "GeminiBaseUrl": wires.gemini,
        "EmbeddingModel": EMBEDDING_MODEL,
        "EmbeddingDimensions": str(DIMENSIONS),
        "NamingModel": "extractive-local",
        "GitHubApiUrl": wires.github,
        "GitHubUrl": wires.github,
        "RedditUrl": wires.reddit,
        "RedditOAuthUrl": wires.reddit,
        "ModelBaseUrl": "http://127.0.0.1:1/v1",
        "ModelName": "none",
    }


def _secret_parameters() -> dict[str, str]:
    app = {"app_id": emulators.APP_ID, "private_key": emulators.key_pair()[0]}
    return {
        "UpstashRedisTokenArn": emulators.REDIS_TOKEN,
        "UpstashVectorTokenArn": emulators.VECTOR_TOKEN,
        "GeminiApiKeyArn": emulators.GEMINI_KEY,
        "GitHubAppArn": json.dumps(app),
        "RedditAppArn": json.dumps(emulators.REDDIT_APP),
        "ModelApiKeyArn": emulators.MODEL_KEY,
    }
